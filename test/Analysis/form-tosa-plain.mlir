// Attention of arguments in TOSA: no bound.
// RUN: polyattn-opt %s --attn-infer-bounds=report-contractions --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s
// CHECK: no bound: nothing is known of argument 0"
module {
  func.func @main(%arg0: tensor<1x4x128x32xf32>, %arg1: tensor<1x4x128x32xf32>, %arg2: tensor<1x4x128x32xf32>) -> tensor<4x128x128xf32> {
    %0 = tosa.const_shape  {values = dense<[4, 128, 32]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %1 = tosa.const_shape  {values = dense<[4, 32, 128]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %2 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1xf32>}> : () -> tensor<1xf32>
    %3 = tosa.const_shape  {values = dense<[1, 4, 128, 128]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %5 = tosa.const_shape  {values = dense<[4, 128, 128]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %6 = tosa.const_shape  {values = dense<[1, 4, 128, 32]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %8 = tosa.transpose %arg1 {perms = array<i32: 0, 1, 3, 2>} : (tensor<1x4x128x32xf32>) -> tensor<1x4x32x128xf32>
    %9 = tosa.reshape %arg0, %0 : (tensor<1x4x128x32xf32>, !tosa.shape<3>) -> tensor<4x128x32xf32>
    %10 = tosa.reshape %8, %1 : (tensor<1x4x32x128xf32>, !tosa.shape<3>) -> tensor<4x32x128xf32>
    %11 = tosa.matmul %9, %10, %2, %2 : (tensor<4x128x32xf32>, tensor<4x32x128xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x128x128xf32>
    return %11 : tensor<4x128x128xf32>
  }
}
