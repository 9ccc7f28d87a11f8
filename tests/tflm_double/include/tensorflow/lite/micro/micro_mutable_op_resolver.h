#ifndef TFLM_DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H
#define TFLM_DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_common.h"

/* As upstream: the resolver brings these headers, and no others, to whoever includes it. */
#include "tensorflow/lite/micro/kernels/add.h"
#include "tensorflow/lite/micro/kernels/batch_matmul.h"
#include "tensorflow/lite/micro/kernels/conv.h"
#include "tensorflow/lite/micro/kernels/depthwise_conv.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/maximum_minimum.h"
#include "tensorflow/lite/micro/kernels/mul.h"
#include "tensorflow/lite/micro/kernels/pooling.h"
#include "tensorflow/lite/micro/kernels/softmax.h"
#include "tensorflow/lite/micro/kernels/svdf.h"
#include "tensorflow/lite/micro/kernels/transpose_conv.h"
#include "tensorflow/lite/micro/kernels/unidirectional_sequence_lstm.h"

/* method, operator, number in the schema; upstream's FIXED ones take no registration. 32 is any
 * custom operator: of those only TFLM_DECODE is in models that are tested here. */
#define TFLM_DOUBLE_OPERATORS(METHOD, FIXED) \
  METHOD(Abs, ABS, 101) \
  METHOD(Add, ADD, 0) \
  METHOD(AddN, ADD_N, 106) \
  METHOD(ArgMax, ARG_MAX, 56) \
  METHOD(ArgMin, ARG_MIN, 79) \
  METHOD(AssignVariable, ASSIGN_VARIABLE, 144) \
  METHOD(AveragePool2D, AVERAGE_POOL_2D, 1) \
  METHOD(BatchMatMul, BATCH_MATMUL, 126) \
  METHOD(BatchToSpaceNd, BATCH_TO_SPACE_ND, 37) \
  METHOD(BroadcastArgs, BROADCAST_ARGS, 145) \
  METHOD(BroadcastTo, BROADCAST_TO, 130) \
  METHOD(CallOnce, CALL_ONCE, 129) \
  METHOD(Cast, CAST, 53) \
  METHOD(Ceil, CEIL, 104) \
  METHOD(Concatenation, CONCATENATION, 2) \
  METHOD(Conv2D, CONV_2D, 3) \
  METHOD(Cos, COS, 108) \
  METHOD(CumSum, CUMSUM, 128) \
  FIXED(Decode, DECODE, 32) \
  METHOD(DepthToSpace, DEPTH_TO_SPACE, 5) \
  METHOD(DepthwiseConv2D, DEPTHWISE_CONV_2D, 4) \
  METHOD(Dequantize, DEQUANTIZE, 6) \
  METHOD(Div, DIV, 42) \
  FIXED(DynamicUpdateSlice, DYNAMIC_UPDATE_SLICE, 151) \
  METHOD(Elu, ELU, 111) \
  METHOD(EmbeddingLookup, EMBEDDING_LOOKUP, 7) \
  METHOD(Equal, EQUAL, 71) \
  METHOD(Exp, EXP, 47) \
  METHOD(ExpandDims, EXPAND_DIMS, 70) \
  METHOD(Fill, FILL, 94) \
  METHOD(Floor, FLOOR, 8) \
  METHOD(FloorDiv, FLOOR_DIV, 90) \
  METHOD(FloorMod, FLOOR_MOD, 95) \
  METHOD(FullyConnected, FULLY_CONNECTED, 9) \
  METHOD(Gather, GATHER, 36) \
  METHOD(GatherNd, GATHER_ND, 107) \
  METHOD(Greater, GREATER, 61) \
  METHOD(GreaterEqual, GREATER_EQUAL, 62) \
  METHOD(HardSwish, HARD_SWISH, 117) \
  METHOD(If, IF, 118) \
  METHOD(L2Normalization, L2_NORMALIZATION, 11) \
  METHOD(L2Pool2D, L2_POOL_2D, 12) \
  METHOD(LeakyRelu, LEAKY_RELU, 98) \
  METHOD(Less, LESS, 58) \
  METHOD(LessEqual, LESS_EQUAL, 63) \
  METHOD(Log, LOG, 73) \
  METHOD(LogSoftmax, LOG_SOFTMAX, 50) \
  METHOD(LogicalAnd, LOGICAL_AND, 86) \
  METHOD(LogicalNot, LOGICAL_NOT, 87) \
  METHOD(LogicalOr, LOGICAL_OR, 84) \
  METHOD(Logistic, LOGISTIC, 14) \
  METHOD(MaxPool2D, MAX_POOL_2D, 17) \
  METHOD(Maximum, MAXIMUM, 55) \
  METHOD(Mean, MEAN, 40) \
  METHOD(Minimum, MINIMUM, 57) \
  METHOD(MirrorPad, MIRROR_PAD, 100) \
  METHOD(Mul, MUL, 18) \
  METHOD(Neg, NEG, 59) \
  METHOD(NotEqual, NOT_EQUAL, 72) \
  METHOD(Pack, PACK, 83) \
  METHOD(Pad, PAD, 34) \
  METHOD(PadV2, PADV2, 60) \
  METHOD(Prelu, PRELU, 54) \
  METHOD(Quantize, QUANTIZE, 114) \
  METHOD(ReadVariable, READ_VARIABLE, 143) \
  METHOD(ReduceAll, REDUCE_ALL, 140) \
  METHOD(ReduceMax, REDUCE_MAX, 82) \
  METHOD(ReduceMin, REDUCE_MIN, 89) \
  METHOD(Relu, RELU, 19) \
  METHOD(Relu6, RELU6, 21) \
  METHOD(Reshape, RESHAPE, 22) \
  METHOD(ResizeBilinear, RESIZE_BILINEAR, 23) \
  FIXED(ResizeNearestNeighbor, RESIZE_NEAREST_NEIGHBOR, 97) \
  METHOD(ReverseV2, REVERSE_V2, 105) \
  METHOD(Round, ROUND, 116) \
  METHOD(Rsqrt, RSQRT, 76) \
  METHOD(SelectV2, SELECT_V2, 123) \
  METHOD(Shape, SHAPE, 77) \
  METHOD(Sin, SIN, 66) \
  METHOD(Slice, SLICE, 65) \
  METHOD(Softmax, SOFTMAX, 25) \
  METHOD(SpaceToBatchNd, SPACE_TO_BATCH_ND, 38) \
  METHOD(SpaceToDepth, SPACE_TO_DEPTH, 26) \
  METHOD(Split, SPLIT, 49) \
  METHOD(SplitV, SPLIT_V, 102) \
  METHOD(Sqrt, SQRT, 75) \
  METHOD(Square, SQUARE, 92) \
  METHOD(SquaredDifference, SQUARED_DIFFERENCE, 99) \
  METHOD(Squeeze, SQUEEZE, 43) \
  METHOD(StridedSlice, STRIDED_SLICE, 45) \
  METHOD(Sub, SUB, 41) \
  METHOD(Sum, SUM, 74) \
  METHOD(Svdf, SVDF, 27) \
  METHOD(Tanh, TANH, 28) \
  METHOD(Transpose, TRANSPOSE, 39) \
  METHOD(TransposeConv, TRANSPOSE_CONV, 67) \
  METHOD(UnidirectionalSequenceLSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, 44) \
  METHOD(Unpack, UNPACK, 88) \
  METHOD(VarHandle, VAR_HANDLE, 142) \
  METHOD(While, WHILE, 119) \
  METHOD(ZerosLike, ZEROS_LIKE, 93)

namespace tflite {

#define REGISTER(method, kind, code) \
  inline TFLMRegistration Register_##kind() { return {code, nullptr}; }
TFLM_DOUBLE_OPERATORS(REGISTER, REGISTER)
#undef REGISTER

class MicroOpResolver {
 public:
  bool has(int code) const {
    for (unsigned int i = 0; i < count_; i++) {
      if (registrations_[i].builtin_code == code) {
        return true;
      }
    }
    return false;
  }

 protected:
  explicit MicroOpResolver(TFLMRegistration *registrations) : registrations_(registrations) {}

  /* As upstream: no second registration, and none beyond the resolver's size. Unlike upstream, a
   * registration of another operator's kernel is an error too. */
  TfLiteStatus add(int code, const TFLMRegistration &registration, unsigned int room) {
    if (registration.builtin_code != code || has(code) || count_ >= room) {
      return kTfLiteError;
    }
    registrations_[count_++] = registration;
    return kTfLiteOk;
  }

 private:
  TFLMRegistration *registrations_;
  unsigned int count_ = 0;
};

template <unsigned int room>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  MicroMutableOpResolver() : MicroOpResolver(storage_) {}

#define ADD(method, kind, code) \
  TfLiteStatus Add##method(const TFLMRegistration &registration = Register_##kind()) { \
    return add(code, registration, room); \
  }
#define ADD_FIXED(method, kind, code) \
  TfLiteStatus Add##method() { return add(code, Register_##kind(), room); }
  TFLM_DOUBLE_OPERATORS(ADD, ADD_FIXED)
#undef ADD
#undef ADD_FIXED

 private:
  TFLMRegistration storage_[room];
};

}  // namespace tflite

#endif
