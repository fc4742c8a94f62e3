/* The network run by TensorFlow Lite for Microcontrollers instead of generated C. */
#ifndef TFLM_RUN_H
#define TFLM_RUN_H

#ifdef __cplusplus
extern "C" {
#endif

/* Load the model and allocate its tensors. Returns 0, or another value on failure. */
int tflm_start(void);

#ifdef __cplusplus
}
#endif

#endif
