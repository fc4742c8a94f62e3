/* V4L2 on NuttX: QVGA, YUV 4:2:2, one buffer at a time, so that a frame is never older than the request for it. */
#include "camera_spresense.h"

#include <nuttx/config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nuttx/video/video.h>

#define CAMERA_DEVICE "/dev/video"
#define CAMERA_WIDTH CAMERA_FRAME_WIDTH
#define CAMERA_HEIGHT CAMERA_FRAME_HEIGHT
#if (CAMERA_WIDTH != VIDEO_HSIZE_QVGA) || (CAMERA_HEIGHT != VIDEO_VSIZE_QVGA)
#error "QVGA has another size"
#endif
#define CAMERA_BYTES ((size_t)CAMERA_WIDTH * (size_t)CAMERA_HEIGHT * 2u)
#define DMA_ALIGNMENT 32u

static int camera = -1;
static uint8_t frame_buffer[CAMERA_BYTES] __attribute__((aligned(DMA_ALIGNMENT)));

static int control(int request, void *argument)
{
    return (ioctl(camera, request, (unsigned long)(uintptr_t)argument) < 0) ? -errno : 0;
}

static int set_up_stream(void)
{
    struct v4l2_requestbuffers request;
    struct v4l2_format format;
    enum v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    (void)memset(&request, 0, sizeof request);
    (void)memset(&format, 0, sizeof format);
    request.type = (uint32_t)type;
    request.memory = V4L2_MEMORY_USERPTR;
    request.count = 1;
    request.mode = V4L2_BUF_MODE_FIFO; /* a queued buffer is filled once and kept */
    format.type = (uint32_t)type;
    format.fmt.pix.width = CAMERA_WIDTH;
    format.fmt.pix.height = CAMERA_HEIGHT;
    format.fmt.pix.field = V4L2_FIELD_ANY;
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_UYVY;
    int result = control(VIDIOC_REQBUFS, &request);
    if (result == 0) {
        result = control(VIDIOC_S_FMT, &format);
    }
    if (result == 0) {
        result = control(VIDIOC_STREAMON, &type);
    }
    return result;
}

int camera_start(void)
{
    if (camera >= 0) {
        return 0;
    }
    if (video_initialize(CAMERA_DEVICE) != 0) {
        return -ENODEV;
    }
    camera = open(CAMERA_DEVICE, O_RDONLY);
    if (camera < 0) {
        const int reason = errno;
        (void)video_uninitialize(CAMERA_DEVICE);
        return -reason;
    }
    const int result = set_up_stream();
    if (result != 0) {
        (void)close(camera);
        (void)video_uninitialize(CAMERA_DEVICE);
        camera = -1;
    }
    return result;
}

int camera_take(tt_frame_t *frame)
{
    struct v4l2_buffer buffer;
    if (camera < 0) {
        return -ENODEV;
    }
    (void)memset(&buffer, 0, sizeof buffer);
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = V4L2_MEMORY_USERPTR;
    buffer.index = 0;
    buffer.m.userptr = (unsigned long)(uintptr_t)frame_buffer;
    buffer.length = (uint32_t)CAMERA_BYTES;
    int result = control(VIDIOC_QBUF, &buffer);
    if (result == 0) {
        result = control(VIDIOC_DQBUF, &buffer);
    }
    if (result == 0) {
        frame->uyvy = frame_buffer;
        frame->width = CAMERA_WIDTH;
        frame->height = CAMERA_HEIGHT;
    }
    return result;
}
