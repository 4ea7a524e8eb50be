// A scale that is only known at run time.
//
// ARGS: normal small small small normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: adapter not raised: its scale is not a constant
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (0)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<6x2xf32>, %arg4: tensor<1xf32>) -> tensor<5x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %4 = tensor.empty() : tensor<8x2xf32>
    %transposed_0 = linalg.transpose ins(%arg2 : tensor<2x8xf32>) outs(%4 : tensor<8x2xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x2xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %7 = linalg.matmul ins(%arg0, %transposed_0 : tensor<5x8xf32>, tensor<8x2xf32>) outs(%6 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %8 = tensor.empty() : tensor<2x6xf32>
    %transposed_1 = linalg.transpose ins(%arg3 : tensor<6x2xf32>) outs(%8 : tensor<2x6xf32>) permutation = [1, 0]
    %9 = linalg.matmul ins(%7, %transposed_1 : tensor<5x2xf32>, tensor<2x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%arg4, %9 : tensor<1xf32>, tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %12 = arith.mulf %in, %in_2 : f32
      linalg.yield %12 : f32
    } -> tensor<5x6xf32>
    %11 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%3, %10 : tensor<5x6xf32>, tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %12 = arith.addf %in, %in_2 : f32
      linalg.yield %12 : f32
    } -> tensor<5x6xf32>
    return %11 : tensor<5x6xf32>
  }
}
