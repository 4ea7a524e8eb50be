// tril, masked_fill of -inf.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize,attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask causal
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<2x6x4xf32>, %arg1: tensor<2x6x4xf32>, %arg2: tensor<2x6x4xf32>) -> tensor<2x6x4xf32> {
    %0 = "tosa.const"() <{values = dense<1.000000e+00> : tensor<6x6xf32>}> : () -> tensor<6x6xf32>
    %1 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1xf32>}> : () -> tensor<1xf32>
    %2 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %3 = "tosa.const"() <{values = dense<[0, 1, 2, 3, 4, 5]> : tensor<6xi64>}> : () -> tensor<6xi64>
    %4 = tosa.const_shape  {values = dense<[1, 6]> : tensor<2xindex>} : () -> !tosa.shape<2>
    %5 = tosa.const_shape  {values = dense<[6, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
    %6 = tosa.const_shape  {values = dense<[1, 6, 6]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %7 = "tosa.const"() <{values = dense<5.000000e-01> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
    %8 = "tosa.const"() <{values = dense<0> : tensor<1x1xi64>}> : () -> tensor<1x1xi64>
    %9 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1x1xf32>}> : () -> tensor<1x1xf32>
    %10 = "tosa.const"() <{values = dense<0xFF800000> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
    %11 = tosa.transpose %arg1 {perms = array<i32: 0, 2, 1>} : (tensor<2x6x4xf32>) -> tensor<2x4x6xf32>
    %12 = tosa.matmul %arg0, %11, %1, %1 : (tensor<2x6x4xf32>, tensor<2x4x6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x6xf32>
    %13 = tosa.mul %12, %7, %2 : (tensor<2x6x6xf32>, tensor<1x1x1xf32>, tensor<1xi8>) -> tensor<2x6x6xf32>
    %14 = tosa.reshape %3, %4 : (tensor<6xi64>, !tosa.shape<2>) -> tensor<1x6xi64>
    %15 = tosa.reshape %3, %5 : (tensor<6xi64>, !tosa.shape<2>) -> tensor<6x1xi64>
    %16 = tosa.cast %15 : (tensor<6x1xi64>) -> tensor<6x1xi32>
    %17 = tosa.cast %14 : (tensor<1x6xi64>) -> tensor<1x6xi32>
    %18 = tosa.sub %17, %16 : (tensor<1x6xi32>, tensor<6x1xi32>) -> tensor<6x6xi32>
    %19 = tosa.cast %18 : (tensor<6x6xi32>) -> tensor<6x6xi64>
    %20 = tosa.greater_equal %8, %19 : (tensor<1x1xi64>, tensor<6x6xi64>) -> tensor<6x6xi1>
    %21 = tosa.select %20, %0, %9 : (tensor<6x6xi1>, tensor<6x6xf32>, tensor<1x1xf32>) -> tensor<6x6xf32>
    %22 = tosa.equal %21, %9 : (tensor<6x6xf32>, tensor<1x1xf32>) -> tensor<6x6xi1>
    %23 = tosa.reshape %22, %6 : (tensor<6x6xi1>, !tosa.shape<3>) -> tensor<1x6x6xi1>
    %24 = tosa.select %23, %10, %13 : (tensor<1x6x6xi1>, tensor<1x1x1xf32>, tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %25 = tosa.reduce_max %24 {axis = 2 : i32} : (tensor<2x6x6xf32>) -> tensor<2x6x1xf32>
    %26 = tosa.sub %24, %25 : (tensor<2x6x6xf32>, tensor<2x6x1xf32>) -> tensor<2x6x6xf32>
    %27 = tosa.exp %26 : (tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %28 = tosa.reduce_sum %27 {axis = 2 : i32} : (tensor<2x6x6xf32>) -> tensor<2x6x1xf32>
    %29 = tosa.reciprocal %28 : (tensor<2x6x1xf32>) -> tensor<2x6x1xf32>
    %30 = tosa.mul %27, %29, %2 : (tensor<2x6x6xf32>, tensor<2x6x1xf32>, tensor<1xi8>) -> tensor<2x6x6xf32>
    %31 = tosa.matmul %30, %arg2, %1, %1 : (tensor<2x6x6xf32>, tensor<2x6x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x4xf32>
    return %31 : tensor<2x6x4xf32>
  }
}
