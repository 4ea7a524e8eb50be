// Cosine similarity without exp.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0, 0)>
#map2 = affine_map<(d0, d1) -> (d0)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<7x4xf32>, %arg2: tensor<7x4xf32>) -> tensor<5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 9.9999999999999998E-13 : f64
    %cst_1 = arith.constant 5.000000e-01 : f32
    %cst_2 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<5x1xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg0 : tensor<5x4xf32>) outs(%1 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = math.absf %in : f32
      %25 = math.powf %24, %cst_2 : f32
      %26 = arith.addf %25, %out : f32
      linalg.yield %26 : f32
    } -> tensor<5x1xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<5x1xf32>) outs(%0 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = math.powf %in, %cst_1 : f32
      linalg.yield %24 : f32
    } -> tensor<5x1xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<5x1xf32>) outs(%0 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = arith.truncf %cst_0 : f64 to f32
      %25 = arith.cmpf ult, %in, %24 : f32
      %26 = arith.select %25, %24, %in : f32
      linalg.yield %26 : f32
    } -> tensor<5x1xf32>
    %5 = tensor.empty() : tensor<5x4xf32>
    %collapsed = tensor.collapse_shape %4 [[0, 1]] : tensor<5x1xf32> into tensor<5xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed : tensor<5xf32>) outs(%5 : tensor<5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<5x4xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %6 : tensor<5x4xf32>, tensor<5x4xf32>) outs(%5 : tensor<5x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %24 = arith.divf %in, %in_4 : f32
      linalg.yield %24 : f32
    } -> tensor<5x4xf32>
    %8 = tensor.empty() : tensor<7x1xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<7x1xf32>) -> tensor<7x1xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%arg1 : tensor<7x4xf32>) outs(%9 : tensor<7x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = math.absf %in : f32
      %25 = math.powf %24, %cst_2 : f32
      %26 = arith.addf %25, %out : f32
      linalg.yield %26 : f32
    } -> tensor<7x1xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<7x1xf32>) outs(%8 : tensor<7x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = math.powf %in, %cst_1 : f32
      linalg.yield %24 : f32
    } -> tensor<7x1xf32>
    %12 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%11 : tensor<7x1xf32>) outs(%8 : tensor<7x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = arith.truncf %cst_0 : f64 to f32
      %25 = arith.cmpf ult, %in, %24 : f32
      %26 = arith.select %25, %24, %in : f32
      linalg.yield %26 : f32
    } -> tensor<7x1xf32>
    %13 = tensor.empty() : tensor<7x4xf32>
    %collapsed_3 = tensor.collapse_shape %12 [[0, 1]] : tensor<7x1xf32> into tensor<7xf32>
    %14 = linalg.generic {indexing_maps = [#map2, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed_3 : tensor<7xf32>) outs(%13 : tensor<7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<7x4xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1, %14 : tensor<7x4xf32>, tensor<7x4xf32>) outs(%13 : tensor<7x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %24 = arith.divf %in, %in_4 : f32
      linalg.yield %24 : f32
    } -> tensor<7x4xf32>
    %16 = tensor.empty() : tensor<4x7xf32>
    %transposed = linalg.transpose ins(%15 : tensor<7x4xf32>) outs(%16 : tensor<4x7xf32>) permutation = [1, 0]
    %17 = tensor.empty() : tensor<5x7xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%17 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %19 = linalg.matmul ins(%7, %transposed : tensor<5x4xf32>, tensor<4x7xf32>) outs(%18 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction"]} ins(%19 : tensor<5x7xf32>) outs(%1 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %24 = arith.addf %in, %out : f32
      linalg.yield %24 : f32
    } -> tensor<5x1xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%19, %20 : tensor<5x7xf32>, tensor<5x1xf32>) outs(%17 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %24 = arith.divf %in, %in_4 : f32
      linalg.yield %24 : f32
    } -> tensor<5x7xf32>
    %22 = linalg.fill ins(%cst : f32) outs(%5 : tensor<5x4xf32>) -> tensor<5x4xf32>
    %23 = linalg.matmul ins(%21, %arg2 : tensor<5x7xf32>, tensor<7x4xf32>) outs(%22 : tensor<5x4xf32>) -> tensor<5x4xf32>
    return %23 : tensor<5x4xf32>
  }
}
