// A rank no lower than the layer's.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: adapter not raised: its rank 8 is no lower than the layer's sizes
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<8x8xf32>, %arg3: tensor<6x8xf32>) -> tensor<5x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %4 = tensor.empty() : tensor<8x8xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<8x8xf32>) outs(%4 : tensor<8x8xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x8xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x8xf32>) -> tensor<5x8xf32>
    %7 = linalg.matmul ins(%arg0, %transposed_1 : tensor<5x8xf32>, tensor<8x8xf32>) outs(%6 : tensor<5x8xf32>) -> tensor<5x8xf32>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %8 = linalg.matmul ins(%7, %transposed_2 : tensor<5x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%8 : tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %11 = arith.mulf %in, %cst_0 : f32
      linalg.yield %11 : f32
    } -> tensor<5x6xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %9 : tensor<5x6xf32>, tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %11 = arith.addf %in, %in_3 : f32
      linalg.yield %11 : f32
    } -> tensor<5x6xf32>
    return %10 : tensor<5x6xf32>
  }
}
