// The denominator clamped.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are not divided by a sum of weights
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<7x4xf32>, %arg2: tensor<7x4xf32>) -> tensor<5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 5.000000e-01 : f32
    %cst_1 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<7x4xf32>) outs(%0 : tensor<4x7xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x4xf32>, tensor<4x7xf32>) outs(%2 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.mulf %in, %cst_0 : f32
      linalg.yield %14 : f32
    } -> tensor<5x7xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%4 : tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = math.exp %in : f32
      linalg.yield %14 : f32
    } -> tensor<5x7xf32>
    %6 = tensor.empty() : tensor<5x1xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%5 : tensor<5x7xf32>) outs(%7 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.addf %in, %out : f32
      linalg.yield %14 : f32
    } -> tensor<5x1xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%8 : tensor<5x1xf32>) outs(%6 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.cmpf ult, %in, %cst_1 : f32
      %15 = arith.select %14, %cst_1, %in : f32
      linalg.yield %15 : f32
    } -> tensor<5x1xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%5, %9 : tensor<5x7xf32>, tensor<5x1xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %14 = arith.divf %in, %in_2 : f32
      linalg.yield %14 : f32
    } -> tensor<5x7xf32>
    %11 = tensor.empty() : tensor<5x4xf32>
    %12 = linalg.fill ins(%cst : f32) outs(%11 : tensor<5x4xf32>) -> tensor<5x4xf32>
    %13 = linalg.matmul ins(%10, %arg2 : tensor<5x7xf32>, tensor<7x4xf32>) outs(%12 : tensor<5x4xf32>) -> tensor<5x4xf32>
    return %13 : tensor<5x4xf32>
  }
}
