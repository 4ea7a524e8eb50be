// Additive attention: tanh of sums.
//
// ARGS: normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: values are the same where keys differ (along a batch dimension)
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map1 = affine_map<(d0, d1, d2) -> (0, d1, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1) -> (d0, d1)>
#map4 = affine_map<(d0, d1) -> (d1)>
#map5 = affine_map<(d0, d1) -> (d0)>
#map6 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<3x4xf32>, %arg1: tensor<4x4xf32>, %arg2: tensor<4x4xf32>, %arg3: tensor<4xf32>) -> tensor<3x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2]] output_shape [3, 1, 4] : tensor<3x4xf32> into tensor<3x1x4xf32>
    %expanded_1 = tensor.expand_shape %arg1 [[0, 1], [2]] output_shape [1, 4, 4] : tensor<4x4xf32> into tensor<1x4x4xf32>
    %0 = tensor.empty() : tensor<3x4x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %expanded_1 : tensor<3x1x4xf32>, tensor<1x4x4xf32>) outs(%0 : tensor<3x4x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.addf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<3x4x4xf32>
    %2 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1 : tensor<3x4x4xf32>) outs(%0 : tensor<3x4x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.tanh %in : f32
      linalg.yield %22 : f32
    } -> tensor<3x4x4xf32>
    %collapsed = tensor.collapse_shape %2 [[0, 1], [2]] : tensor<3x4x4xf32> into tensor<12x4xf32>
    %3 = tensor.empty() : tensor<12x4xf32>
    %4 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel"]} ins(%collapsed, %arg3 : tensor<12x4xf32>, tensor<4xf32>) outs(%3 : tensor<12x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.mulf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<12x4xf32>
    %5 = tensor.empty() : tensor<12xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<12xf32>) -> tensor<12xf32>
    %7 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "reduction"]} ins(%4 : tensor<12x4xf32>) outs(%6 : tensor<12xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<12xf32>
    %expanded_2 = tensor.expand_shape %7 [[0, 1]] output_shape [3, 4] : tensor<12xf32> into tensor<3x4xf32>
    %8 = tensor.empty() : tensor<3xi64>
    %9 = linalg.fill ins(%c0_i64 : i64) outs(%8 : tensor<3xi64>) -> tensor<3xi64>
    %10 = tensor.empty() : tensor<3xf32>
    %11 = linalg.fill ins(%cst_0 : f32) outs(%10 : tensor<3xf32>) -> tensor<3xf32>
    %12:2 = linalg.generic {indexing_maps = [#map3, #map5, #map5], iterator_types = ["parallel", "reduction"]} ins(%expanded_2 : tensor<3x4xf32>) outs(%11, %9 : tensor<3xf32>, tensor<3xi64>) {
    ^bb0(%in: f32, %out: f32, %out_4: i64):
      %22 = linalg.index 1 : index
      %23 = arith.index_cast %22 : index to i64
      %24 = arith.maximumf %in, %out : f32
      %25 = arith.cmpf ogt, %in, %out : f32
      %26 = arith.select %25, %23, %out_4 : i64
      linalg.yield %24, %26 : f32, i64
    } -> (tensor<3xf32>, tensor<3xi64>)
    %expanded_3 = tensor.expand_shape %12#0 [[0, 1]] output_shape [3, 1] : tensor<3xf32> into tensor<3x1xf32>
    %13 = tensor.empty() : tensor<3x4xf32>
    %14 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel"]} ins(%expanded_2, %expanded_3 : tensor<3x4xf32>, tensor<3x1xf32>) outs(%13 : tensor<3x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.subf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<3x4xf32>
    %15 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<3x4xf32>) outs(%13 : tensor<3x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.exp %in : f32
      linalg.yield %22 : f32
    } -> tensor<3x4xf32>
    %16 = tensor.empty() : tensor<3x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<3x1xf32>) -> tensor<3x1xf32>
    %18 = linalg.generic {indexing_maps = [#map3, #map6], iterator_types = ["parallel", "reduction"]} ins(%15 : tensor<3x4xf32>) outs(%17 : tensor<3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<3x1xf32>
    %19 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel"]} ins(%15, %18 : tensor<3x4xf32>, tensor<3x1xf32>) outs(%13 : tensor<3x4xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %22 = arith.divf %in, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<3x4xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%13 : tensor<3x4xf32>) -> tensor<3x4xf32>
    %21 = linalg.matmul ins(%19, %arg2 : tensor<3x4xf32>, tensor<4x4xf32>) outs(%20 : tensor<3x4xf32>) -> tensor<3x4xf32>
    return %21 : tensor<3x4xf32>
  }
}
