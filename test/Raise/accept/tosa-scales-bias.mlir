// Next-scale attention: a constant bias of 0 and -inf.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize,attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask block_causal<scales = [1, 4, 9]>
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<1x2x14x4xf32>, %arg1: tensor<1x2x14x4xf32>, %arg2: tensor<1x2x14x4xf32>) -> tensor<1x2x14x4xf32> {
    %0 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1x2x14x14xf32>}> : () -> tensor<1x2x14x14xf32>
    %1 = "tosa.const"() <{values = dense<[[[0], [1], [1], [1], [1], [2], [2], [2], [2], [2], [2], [2], [2], [2]]]> : tensor<1x14x1xi64>}> : () -> tensor<1x14x1xi64>
    %2 = tosa.const_shape  {values = dense<[1, 1, 14, 14]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %3 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %4 = tosa.const_shape  {values = dense<[2, 14, 4]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %5 = tosa.const_shape  {values = dense<[2, 4, 14]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %6 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1xf32>}> : () -> tensor<1xf32>
    %7 = tosa.const_shape  {values = dense<[1, 2, 14, 14]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %8 = tosa.const_shape  {values = dense<[2, 14, 14]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %9 = tosa.const_shape  {values = dense<[1, 2, 14, 4]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %10 = tosa.const_shape  {values = dense<[1, 1, 14]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %11 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
    %12 = "tosa.const"() <{values = dense<0xFF800000> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
    %13 = "tosa.const"() <{values = dense<0.707106769> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
    %14 = "tosa.const"() <{values = dense<0xFFF0000000000000> : tensor<1x1x1x1xf64>}> : () -> tensor<1x1x1x1xf64>
    %15 = tosa.reshape %1, %10 : (tensor<1x14x1xi64>, !tosa.shape<3>) -> tensor<1x1x14xi64>
    %16 = tosa.greater_equal %1, %15 : (tensor<1x14x1xi64>, tensor<1x1x14xi64>) -> tensor<1x14x14xi1>
    %17 = tosa.select %16, %11, %12 : (tensor<1x14x14xi1>, tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x14x14xf32>
    %18 = tosa.reshape %17, %2 : (tensor<1x14x14xf32>, !tosa.shape<4>) -> tensor<1x1x14x14xf32>
    %19 = tosa.mul %arg0, %13, %3 : (tensor<1x2x14x4xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<1x2x14x4xf32>
    %20 = tosa.transpose %arg1 {perms = array<i32: 0, 1, 3, 2>} : (tensor<1x2x14x4xf32>) -> tensor<1x2x4x14xf32>
    %21 = tosa.mul %20, %13, %3 : (tensor<1x2x4x14xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<1x2x4x14xf32>
    %22 = tosa.reshape %19, %4 : (tensor<1x2x14x4xf32>, !tosa.shape<3>) -> tensor<2x14x4xf32>
    %23 = tosa.reshape %21, %5 : (tensor<1x2x4x14xf32>, !tosa.shape<3>) -> tensor<2x4x14xf32>
    %24 = tosa.matmul %22, %23, %6, %6 : (tensor<2x14x4xf32>, tensor<2x4x14xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x14x14xf32>
    %25 = tosa.reshape %24, %7 : (tensor<2x14x14xf32>, !tosa.shape<4>) -> tensor<1x2x14x14xf32>
    %26 = tosa.add %25, %18 : (tensor<1x2x14x14xf32>, tensor<1x1x14x14xf32>) -> tensor<1x2x14x14xf32>
    %27 = tosa.reduce_max %26 {axis = 3 : i32} : (tensor<1x2x14x14xf32>) -> tensor<1x2x14x1xf32>
    %28 = tosa.sub %26, %27 : (tensor<1x2x14x14xf32>, tensor<1x2x14x1xf32>) -> tensor<1x2x14x14xf32>
    %29 = tosa.exp %28 : (tensor<1x2x14x14xf32>) -> tensor<1x2x14x14xf32>
    %30 = tosa.reduce_sum %29 {axis = 3 : i32} : (tensor<1x2x14x14xf32>) -> tensor<1x2x14x1xf32>
    %31 = tosa.reciprocal %30 : (tensor<1x2x14x1xf32>) -> tensor<1x2x14x1xf32>
    %32 = tosa.mul %29, %31, %3 : (tensor<1x2x14x14xf32>, tensor<1x2x14x1xf32>, tensor<1xi8>) -> tensor<1x2x14x14xf32>
    %33 = tosa.cast %26 : (tensor<1x2x14x14xf32>) -> tensor<1x2x14x14xf64>
    %34 = tosa.equal %33, %14 : (tensor<1x2x14x14xf64>, tensor<1x1x1x1xf64>) -> tensor<1x2x14x14xi1>
    %35 = tosa.reduce_all %34 {axis = 3 : i32} : (tensor<1x2x14x14xi1>) -> tensor<1x2x14x1xi1>
    %36 = tosa.select %35, %0, %32 : (tensor<1x2x14x1xi1>, tensor<1x2x14x14xf32>, tensor<1x2x14x14xf32>) -> tensor<1x2x14x14xf32>
    %37 = tosa.reshape %36, %8 : (tensor<1x2x14x14xf32>, !tosa.shape<3>) -> tensor<2x14x14xf32>
    %38 = tosa.reshape %arg2, %4 : (tensor<1x2x14x4xf32>, !tosa.shape<3>) -> tensor<2x14x4xf32>
    %39 = tosa.matmul %37, %38, %6, %6 : (tensor<2x14x14xf32>, tensor<2x14x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x14x4xf32>
    %40 = tosa.reshape %39, %9 : (tensor<2x14x4xf32>, !tosa.shape<4>) -> tensor<1x2x14x4xf32>
    return %40 : tensor<1x2x14x4xf32>
  }
}
