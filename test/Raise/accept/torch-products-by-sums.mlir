// Products as broadcast multiplications and sums.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, 0)>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
module {
  func.func @main(%arg0: tensor<1x1x3x4xf32>, %arg1: tensor<1x1x4x4xf32>, %arg2: tensor<1x1x4x4xf32>) -> tensor<1x1x3x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4]] output_shape [1, 1, 3, 1, 4] : tensor<1x1x3x4xf32> into tensor<1x1x3x1x4xf32>
    %expanded_2 = tensor.expand_shape %arg1 [[0], [1], [2, 3], [4]] output_shape [1, 1, 1, 4, 4] : tensor<1x1x4x4xf32> into tensor<1x1x1x4x4xf32>
    %0 = tensor.empty() : tensor<1x1x3x4x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_2 : tensor<1x1x3x1x4xf32>, tensor<1x1x1x4x4xf32>) outs(%0 : tensor<1x1x3x4x4xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %19 = arith.mulf %in, %in_6 : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4x4xf32>
    %2 = tensor.empty() : tensor<1x1x3x4xf32>
    %3 = linalg.fill ins(%cst : f32) outs(%2 : tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%1 : tensor<1x1x3x4x4xf32>) outs(%3 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %19 = arith.addf %in, %out : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    %5 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4 : tensor<1x1x3x4xf32>) outs(%2 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %19 = arith.mulf %in, %cst_1 : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    %6 = tensor.empty() : tensor<1x1x3xi64>
    %7 = linalg.fill ins(%c0_i64 : i64) outs(%6 : tensor<1x1x3xi64>) -> tensor<1x1x3xi64>
    %8 = tensor.empty() : tensor<1x1x3xf32>
    %9 = linalg.fill ins(%cst_0 : f32) outs(%8 : tensor<1x1x3xf32>) -> tensor<1x1x3xf32>
    %10:2 = linalg.generic {indexing_maps = [#map4, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%5 : tensor<1x1x3x4xf32>) outs(%9, %7 : tensor<1x1x3xf32>, tensor<1x1x3xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %19 = linalg.index 3 : index
      %20 = arith.index_cast %19 : index to i64
      %21 = arith.maximumf %in, %out : f32
      %22 = arith.cmpf ogt, %in, %out : f32
      %23 = arith.select %22, %20, %out_6 : i64
      linalg.yield %21, %23 : f32, i64
    } -> (tensor<1x1x3xf32>, tensor<1x1x3xi64>)
    %expanded_3 = tensor.expand_shape %10#0 [[0], [1], [2, 3]] output_shape [1, 1, 3, 1] : tensor<1x1x3xf32> into tensor<1x1x3x1xf32>
    %11 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%5, %expanded_3 : tensor<1x1x3x4xf32>, tensor<1x1x3x1xf32>) outs(%2 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %19 = arith.subf %in, %in_6 : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    %12 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11 : tensor<1x1x3x4xf32>) outs(%2 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %19 = math.exp %in : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    %13 = tensor.empty() : tensor<1x1x3x1xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<1x1x3x1xf32>) -> tensor<1x1x3x1xf32>
    %15 = linalg.generic {indexing_maps = [#map4, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%12 : tensor<1x1x3x4xf32>) outs(%14 : tensor<1x1x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %19 = arith.addf %in, %out : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x1xf32>
    %16 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%12, %15 : tensor<1x1x3x4xf32>, tensor<1x1x3x1xf32>) outs(%2 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %19 = arith.divf %in, %in_6 : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    %expanded_4 = tensor.expand_shape %16 [[0], [1], [2], [3, 4]] output_shape [1, 1, 3, 4, 1] : tensor<1x1x3x4xf32> into tensor<1x1x3x4x1xf32>
    %expanded_5 = tensor.expand_shape %arg2 [[0], [1], [2, 3], [4]] output_shape [1, 1, 1, 4, 4] : tensor<1x1x4x4xf32> into tensor<1x1x1x4x4xf32>
    %17 = linalg.generic {indexing_maps = [#map7, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4, %expanded_5 : tensor<1x1x3x4x1xf32>, tensor<1x1x1x4x4xf32>) outs(%0 : tensor<1x1x3x4x4xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %19 = arith.mulf %in, %in_6 : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4x4xf32>
    %18 = linalg.generic {indexing_maps = [#map2, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]} ins(%17 : tensor<1x1x3x4x4xf32>) outs(%3 : tensor<1x1x3x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %19 = arith.addf %in, %out : f32
      linalg.yield %19 : f32
    } -> tensor<1x1x3x4xf32>
    return %18 : tensor<1x1x3x4xf32>
  }
}
