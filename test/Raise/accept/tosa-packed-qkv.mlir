// Packed projection, split into heads.
//
// ARGS: normal small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize,attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

module {
  func.func @main(%arg0: tensor<2x6x8xf32>, %arg1: tensor<8x24xf32>) -> tensor<2x6x8xf32> {
    %0 = "tosa.const"() <{values = dense<0.000000e+00> : tensor<1xf32>}> : () -> tensor<1xf32>
    %1 = tosa.const_shape  {values = dense<[1, 12, 8]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %2 = tosa.const_shape  {values = dense<[1, 8, 24]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %3 = tosa.const_shape  {values = dense<[2, 6, 3, 2, 4]> : tensor<5xindex>} : () -> !tosa.shape<5>
    %4 = tosa.const_shape  {values = dense<[1, 2, 2, 6, 4]> : tensor<5xindex>} : () -> !tosa.shape<5>
    %5 = tosa.const_shape  {values = dense<0> : tensor<5xindex>} : () -> !tosa.shape<5>
    %6 = tosa.const_shape  {values = dense<[1, 0, 0, 0, 0]> : tensor<5xindex>} : () -> !tosa.shape<5>
    %7 = tosa.const_shape  {values = dense<[2, 0, 0, 0, 0]> : tensor<5xindex>} : () -> !tosa.shape<5>
    %8 = tosa.const_shape  {values = dense<[2, 2, 6, 4]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %9 = tosa.const_shape  {values = dense<[4, 6, 4]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %10 = tosa.const_shape  {values = dense<[4, 4, 6]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %11 = tosa.const_shape  {values = dense<[2, 2, 6, 6]> : tensor<4xindex>} : () -> !tosa.shape<4>
    %12 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
    %13 = tosa.const_shape  {values = dense<[4, 6, 6]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %14 = tosa.const_shape  {values = dense<[2, 6, 8]> : tensor<3xindex>} : () -> !tosa.shape<3>
    %15 = "tosa.const"() <{values = dense<5.000000e-01> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
    %16 = tosa.reshape %arg0, %1 : (tensor<2x6x8xf32>, !tosa.shape<3>) -> tensor<1x12x8xf32>
    %17 = tosa.reshape %arg1, %2 : (tensor<8x24xf32>, !tosa.shape<3>) -> tensor<1x8x24xf32>
    %18 = tosa.matmul %16, %17, %0, %0 : (tensor<1x12x8xf32>, tensor<1x8x24xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x12x24xf32>
    %19 = tosa.reshape %18, %3 : (tensor<1x12x24xf32>, !tosa.shape<5>) -> tensor<2x6x3x2x4xf32>
    %20 = tosa.transpose %19 {perms = array<i32: 2, 0, 3, 1, 4>} : (tensor<2x6x3x2x4xf32>) -> tensor<3x2x2x6x4xf32>
    %21 = tosa.slice %20, %5, %4 : (tensor<3x2x2x6x4xf32>, !tosa.shape<5>, !tosa.shape<5>) -> tensor<1x2x2x6x4xf32>
    %22 = tosa.slice %20, %6, %4 : (tensor<3x2x2x6x4xf32>, !tosa.shape<5>, !tosa.shape<5>) -> tensor<1x2x2x6x4xf32>
    %23 = tosa.slice %20, %7, %4 : (tensor<3x2x2x6x4xf32>, !tosa.shape<5>, !tosa.shape<5>) -> tensor<1x2x2x6x4xf32>
    %24 = tosa.reshape %22, %8 : (tensor<1x2x2x6x4xf32>, !tosa.shape<4>) -> tensor<2x2x6x4xf32>
    %25 = tosa.transpose %24 {perms = array<i32: 0, 1, 3, 2>} : (tensor<2x2x6x4xf32>) -> tensor<2x2x4x6xf32>
    %26 = tosa.reshape %21, %9 : (tensor<1x2x2x6x4xf32>, !tosa.shape<3>) -> tensor<4x6x4xf32>
    %27 = tosa.reshape %25, %10 : (tensor<2x2x4x6xf32>, !tosa.shape<3>) -> tensor<4x4x6xf32>
    %28 = tosa.matmul %26, %27, %0, %0 : (tensor<4x6x4xf32>, tensor<4x4x6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x6x6xf32>
    %29 = tosa.reshape %28, %11 : (tensor<4x6x6xf32>, !tosa.shape<4>) -> tensor<2x2x6x6xf32>
    %30 = tosa.mul %29, %15, %12 : (tensor<2x2x6x6xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<2x2x6x6xf32>
    %31 = tosa.reduce_max %30 {axis = 3 : i32} : (tensor<2x2x6x6xf32>) -> tensor<2x2x6x1xf32>
    %32 = tosa.sub %30, %31 : (tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>) -> tensor<2x2x6x6xf32>
    %33 = tosa.exp %32 : (tensor<2x2x6x6xf32>) -> tensor<2x2x6x6xf32>
    %34 = tosa.reduce_sum %33 {axis = 3 : i32} : (tensor<2x2x6x6xf32>) -> tensor<2x2x6x1xf32>
    %35 = tosa.reciprocal %34 : (tensor<2x2x6x1xf32>) -> tensor<2x2x6x1xf32>
    %36 = tosa.mul %33, %35, %12 : (tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>, tensor<1xi8>) -> tensor<2x2x6x6xf32>
    %37 = tosa.reshape %36, %13 : (tensor<2x2x6x6xf32>, !tosa.shape<3>) -> tensor<4x6x6xf32>
    %38 = tosa.reshape %23, %9 : (tensor<1x2x2x6x4xf32>, !tosa.shape<3>) -> tensor<4x6x4xf32>
    %39 = tosa.matmul %37, %38, %0, %0 : (tensor<4x6x6xf32>, tensor<4x6x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x6x4xf32>
    %40 = tosa.reshape %39, %8 : (tensor<4x6x4xf32>, !tosa.shape<4>) -> tensor<2x2x6x4xf32>
    %41 = tosa.transpose %40 {perms = array<i32: 0, 2, 1, 3>} : (tensor<2x2x6x4xf32>) -> tensor<2x6x2x4xf32>
    %42 = tosa.reshape %41, %14 : (tensor<2x6x2x4xf32>, !tosa.shape<3>) -> tensor<2x6x8xf32>
    return %42 : tensor<2x6x8xf32>
  }
}
