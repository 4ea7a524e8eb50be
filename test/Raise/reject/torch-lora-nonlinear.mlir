// A nonlinearity between the thin products.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<6x2xf32>) -> tensor<5x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %4 = tensor.empty() : tensor<8x2xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<2x8xf32>) outs(%4 : tensor<8x2xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<5x2xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %7 = linalg.matmul ins(%arg0, %transposed_1 : tensor<5x8xf32>, tensor<8x2xf32>) outs(%6 : tensor<5x2xf32>) -> tensor<5x2xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%7 : tensor<5x2xf32>) outs(%5 : tensor<5x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.cmpf ugt, %in, %cst : f32
      %14 = arith.select %13, %in, %cst : f32
      linalg.yield %14 : f32
    } -> tensor<5x2xf32>
    %9 = tensor.empty() : tensor<2x6xf32>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<6x2xf32>) outs(%9 : tensor<2x6xf32>) permutation = [1, 0]
    %10 = linalg.matmul ins(%8, %transposed_2 : tensor<5x2xf32>, tensor<2x6xf32>) outs(%2 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.mulf %in, %cst_0 : f32
      linalg.yield %13 : f32
    } -> tensor<5x6xf32>
    %12 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %11 : tensor<5x6xf32>, tensor<5x6xf32>) outs(%1 : tensor<5x6xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %13 = arith.addf %in, %in_3 : f32
      linalg.yield %13 : f32
    } -> tensor<5x6xf32>
    return %12 : tensor<5x6xf32>
  }
}
