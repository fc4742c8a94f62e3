/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include "third_party/freertos_kernel/include/FreeRTOS.h"

void vTaskDelay(TickType_t ticks);
void vPortEnterCritical();
void vPortExitCritical();
#define taskENTER_CRITICAL() vPortEnterCritical()
#define taskEXIT_CRITICAL() vPortExitCritical()
