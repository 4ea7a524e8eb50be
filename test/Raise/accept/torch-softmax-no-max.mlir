// No maximum subtracted.
//
// ARGS: normal normal normal
// OVERFLOWS: no maximum is subtracted
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x5x4xf32>, %arg1: tensor<2x7x4xf32>, %arg2: tensor<2x7x4xf32>) -> tensor<2x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<2x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<2x7x4xf32>) outs(%0 : tensor<2x4x7xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<2x5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %3 = linalg.batch_matmul ins(%arg0, %transposed : tensor<2x5x4xf32>, tensor<2x4x7xf32>) outs(%2 : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<2x5x7xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.mulf %in, %cst_0 : f32
      linalg.yield %13 : f32
    } -> tensor<2x5x7xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x5x7xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = math.exp %in : f32
      linalg.yield %13 : f32
    } -> tensor<2x5x7xf32>
    %6 = tensor.empty() : tensor<2x5x1xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<2x5x1xf32>) -> tensor<2x5x1xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "reduction"]} ins(%5 : tensor<2x5x7xf32>) outs(%7 : tensor<2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.addf %in, %out : f32
      linalg.yield %13 : f32
    } -> tensor<2x5x1xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %8 : tensor<2x5x7xf32>, tensor<2x5x1xf32>) outs(%1 : tensor<2x5x7xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %13 = arith.divf %in, %in_1 : f32
      linalg.yield %13 : f32
    } -> tensor<2x5x7xf32>
    %10 = tensor.empty() : tensor<2x5x4xf32>
    %11 = linalg.fill ins(%cst : f32) outs(%10 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %12 = linalg.batch_matmul ins(%9, %arg2 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%11 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    return %12 : tensor<2x5x4xf32>
  }
}
