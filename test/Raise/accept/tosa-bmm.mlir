// bmm with heads among the batch.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize,attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<4x5x4xf32>, %arg1: tensor<4x7x4xf32>, %arg2: tensor<4x7x4xf32>) -> tensor<4x5x4xf32> {
    %0 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %1 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1xf32>}> : () -> tensor<1xf32>
    %2 = "tosa.const"() <{values = dense<5.000000e-01> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
    %3 = tosa.mul %arg0, %2, %0 : (tensor<4x5x4xf32>, tensor<1x1x1xf32>, tensor<1xi8>) -> tensor<4x5x4xf32>
    %4 = tosa.transpose %arg1 {perms = array<i32: 0, 2, 1>} : (tensor<4x7x4xf32>) -> tensor<4x4x7xf32>
    %5 = tosa.matmul %3, %4, %1, %1 : (tensor<4x5x4xf32>, tensor<4x4x7xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x5x7xf32>
    %6 = tosa.reduce_max %5 {axis = 2 : i32} : (tensor<4x5x7xf32>) -> tensor<4x5x1xf32>
    %7 = tosa.sub %5, %6 : (tensor<4x5x7xf32>, tensor<4x5x1xf32>) -> tensor<4x5x7xf32>
    %8 = tosa.exp %7 : (tensor<4x5x7xf32>) -> tensor<4x5x7xf32>
    %9 = tosa.reduce_sum %8 {axis = 2 : i32} : (tensor<4x5x7xf32>) -> tensor<4x5x1xf32>
    %10 = tosa.reciprocal %9 : (tensor<4x5x1xf32>) -> tensor<4x5x1xf32>
    %11 = tosa.mul %8, %10, %0 : (tensor<4x5x7xf32>, tensor<4x5x1xf32>, tensor<1xi8>) -> tensor<4x5x7xf32>
    %12 = tosa.matmul %11, %arg2, %1, %1 : (tensor<4x5x7xf32>, tensor<4x7x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x5x4xf32>
    return %12 : tensor<4x5x4xf32>
  }
}
