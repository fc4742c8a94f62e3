static const unsigned char romfs_img[] = {0};
static const unsigned int romfs_img_len = 1;
