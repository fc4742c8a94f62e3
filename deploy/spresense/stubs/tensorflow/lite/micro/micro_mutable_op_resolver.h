/* Declarations for checking syntax and types, as in the SDK's TensorFlow Lite for Microcontrollers (2022). */
#ifndef STUB_MICRO_MUTABLE_OP_RESOLVER_H
#define STUB_MICRO_MUTABLE_OP_RESOLVER_H

namespace tflite {

class MicroOpResolver {
};

/* Only operators that the tests' networks use; the real class has one method for each. */
template <unsigned int count> class MicroMutableOpResolver : public MicroOpResolver {
public:
    int AddConcatenation();
    int AddConv2D();
    int AddDepthwiseConv2D();
    int AddFullyConnected();
    int AddMean();
    int AddReshape();
};

} // namespace tflite

#endif
