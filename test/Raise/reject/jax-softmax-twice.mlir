// Normalised twice.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: scores go through math.exp, which is no scaling, bias or mask
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> ()>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>) -> (tensor<1x2x5x4xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<1x2x5x7xf32>
    %1 = linalg.fill ins(%cst_0 : f32) outs(%0 : tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<1x2x5x4xf32>, tensor<1x2x7x4xf32>) outs(%1 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.mulf %in, %in_8 : f32
      %29 = arith.addf %out, %28 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%2, %3 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.mulf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %5 = tensor.empty() : tensor<1x2x5xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %7 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%4 : tensor<1x2x5x7xf32>) outs(%6 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.maximumf %out, %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %8 = linalg.generic {indexing_maps = [#map6, #map7], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%5 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5xf32>
    %9 = linalg.generic {indexing_maps = [#map7, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %7 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%5 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.maximumf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %expanded = tensor.expand_shape %9 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %10 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %11 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4, %10 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.subf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %12 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11 : tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = math.exp %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %14 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%12 : tensor<1x2x5x7xf32>) outs(%13 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %out, %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %expanded_3 = tensor.expand_shape %14 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %15 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %16 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%12, %15 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.divf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%16 : tensor<1x2x5x7xf32>) outs(%6 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.maximumf %out, %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %18 = linalg.generic {indexing_maps = [#map7, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %17 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%5 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.maximumf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %expanded_4 = tensor.expand_shape %18 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %20 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%16, %19 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.subf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %21 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = math.exp %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %22 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x2x5x7xf32>) outs(%13 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %out, %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %expanded_5 = tensor.expand_shape %22 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %23 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_5 : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %24 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %23 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_8: f32, %out: f32):
      %28 = arith.divf %in, %in_8 : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %collapsed = tensor.collapse_shape %24 [[0, 1], [2], [3]] : tensor<1x2x5x7xf32> into tensor<2x5x7xf32>
    %collapsed_6 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf32> into tensor<2x7x4xf32>
    %25 = tensor.empty() : tensor<2x5x4xf32>
    %26 = linalg.fill ins(%cst_0 : f32) outs(%25 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %27 = linalg.batch_matmul ins(%collapsed, %collapsed_6 : tensor<2x5x7xf32>, tensor<2x7x4xf32>) outs(%26 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    %expanded_7 = tensor.expand_shape %27 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xf32> into tensor<1x2x5x4xf32>
    return %expanded_7 : tensor<1x2x5x4xf32>
  }
}

