#ifndef STUB_VIDEO_H
#define STUB_VIDEO_H
#include <stdint.h>
#define VIDEO_HSIZE_QVGA 320
#define VIDEO_VSIZE_QVGA 240
#define VIDIOC_REQBUFS 1
#define VIDIOC_S_FMT 2
#define VIDIOC_STREAMON 3
#define VIDIOC_QBUF 4
#define VIDIOC_DQBUF 5
#define V4L2_PIX_FMT_UYVY 0x59565955u
enum v4l2_buf_type { V4L2_BUF_TYPE_VIDEO_CAPTURE = 1 };
enum v4l2_memory { V4L2_MEMORY_USERPTR = 2 };
enum v4l2_field { V4L2_FIELD_ANY = 0 };
enum v4l2_buf_mode { V4L2_BUF_MODE_RING = 0, V4L2_BUF_MODE_FIFO = 1 };
struct v4l2_requestbuffers {
    uint32_t count;
    uint32_t type;
    uint32_t memory;
    uint32_t mode;
};
struct v4l2_format {
    uint32_t type;
    union {
        struct {
            uint32_t width;
            uint32_t height;
            uint32_t field;
            uint32_t pixelformat;
        } pix;
    } fmt;
};
struct v4l2_buffer {
    uint16_t index;
    uint16_t type;
    uint32_t memory;
    uint32_t length;
    union {
        unsigned long userptr;
    } m;
};
int video_initialize(const char *path);
int video_uninitialize(const char *path);
#endif
