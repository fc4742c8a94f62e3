#include "run.h"

#include <nuttx/config.h>

#ifdef CONFIG_RUN_RUNTIME_TFLM
#include "tflm_run.h"
#endif

#ifdef CONFIG_RUN_CORES
#include "cores_spresense.h"
#endif

int run_start(void)
{
#ifdef CONFIG_RUN_RUNTIME_TFLM
    return tflm_start();
#elif defined(CONFIG_RUN_CORES)
    (void)cores_start(); /* without workers the network runs on one core */
    return 0;
#else
    return 0;
#endif
}

int run(const uint8_t *in, uint8_t *out)
{
    return model_run_packed(in, out);
}
