// Two layers in a row beside a residual.
//
// ARGS: normal small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf32>, %arg1: tensor<2x8xf32>, %arg2: tensor<8x2xf32>) -> tensor<5x8xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x2xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x8xf32>) outs(%0 : tensor<8x2xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x2xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf32>, tensor<8x2xf32>) outs(%2 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %4 = tensor.empty() : tensor<2x8xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<8x2xf32>) outs(%4 : tensor<2x8xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x8xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x8xf32>) -> tensor<5x8xf32>
    %7 = linalg.matmul ins(%3, %transposed_1 : tensor<5x2xf32>, tensor<2x8xf32>) outs(%6 : tensor<5x8xf32>) -> tensor<5x8xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%7 : tensor<5x8xf32>) outs(%5 : tensor<5x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %10 = arith.mulf %in, %cst_0 : f32
      linalg.yield %10 : f32
    } -> tensor<5x8xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %8 : tensor<5x8xf32>, tensor<5x8xf32>) outs(%5 : tensor<5x8xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %10 = arith.addf %in, %in_2 : f32
      linalg.yield %10 : f32
    } -> tensor<5x8xf32>
    return %9 : tensor<5x8xf32>
  }
}
