// bf16.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3, d2)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> ()>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> ()>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xbf16>, %arg1: tensor<1x2x7x4xbf16>, %arg2: tensor<1x2x7x4xbf16>) -> (tensor<1x2x5x4xbf16>) {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF80 : bf16
    %cst_1 = arith.constant 0.000000e+00 : bf16
    %cst_2 = arith.constant dense<0xFF80> : tensor<bf16>
    %cst_3 = arith.constant dense<5.000000e-01> : tensor<bf16>
    %0 = tensor.empty() : tensor<1x2x4x7xbf16>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x2x7x4xbf16>) outs(%0 : tensor<1x2x4x7xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      linalg.yield %in : bf16
    } -> tensor<1x2x4x7xbf16>
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x2x5x4xbf16> into tensor<2x5x4xbf16>
    %collapsed_4 = tensor.collapse_shape %1 [[0, 1], [2], [3]] : tensor<1x2x4x7xbf16> into tensor<2x4x7xbf16>
    %2 = tensor.empty() : tensor<2x5x7xbf16>
    %3 = linalg.fill ins(%cst_1 : bf16) outs(%2 : tensor<2x5x7xbf16>) -> tensor<2x5x7xbf16>
    %4 = linalg.batch_matmul ins(%collapsed, %collapsed_4 : tensor<2x5x4xbf16>, tensor<2x4x7xbf16>) outs(%3 : tensor<2x5x7xbf16>) -> tensor<2x5x7xbf16>
    %expanded = tensor.expand_shape %4 [[0, 1], [2], [3]] output_shape [1, 2, 5, 7] : tensor<2x5x7xbf16> into tensor<1x2x5x7xbf16>
    %5 = tensor.empty() : tensor<1x2x5x7xbf16>
    %6 = linalg.generic {indexing_maps = [#map2, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<bf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      linalg.yield %in : bf16
    } -> tensor<1x2x5x7xbf16>
    %7 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %6 : tensor<1x2x5x7xbf16>, tensor<1x2x5x7xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %in_10: bf16, %out: bf16):
      %28 = arith.mulf %in, %in_10 : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5x7xbf16>
    %8 = tensor.empty() : tensor<1x2x5xbf16>
    %9 = linalg.fill ins(%cst_0 : bf16) outs(%8 : tensor<1x2x5xbf16>) -> tensor<1x2x5xbf16>
    %10 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%7 : tensor<1x2x5x7xbf16>) outs(%9 : tensor<1x2x5xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      %28 = arith.maximumf %out, %in : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5xbf16>
    %11 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<bf16>) outs(%8 : tensor<1x2x5xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      linalg.yield %in : bf16
    } -> tensor<1x2x5xbf16>
    %12 = linalg.generic {indexing_maps = [#map5, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %10 : tensor<1x2x5xbf16>, tensor<1x2x5xbf16>) outs(%8 : tensor<1x2x5xbf16>) {
    ^bb0(%in: bf16, %in_10: bf16, %out: bf16):
      %28 = arith.maximumf %in, %in_10 : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5xbf16>
    %expanded_5 = tensor.expand_shape %12 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xbf16> into tensor<1x2x5x1xbf16>
    %13 = linalg.generic {indexing_maps = [#map6, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_5 : tensor<1x2x5x1xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      linalg.yield %in : bf16
    } -> tensor<1x2x5x7xbf16>
    %14 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%7, %13 : tensor<1x2x5x7xbf16>, tensor<1x2x5x7xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %in_10: bf16, %out: bf16):
      %28 = arith.subf %in, %in_10 : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5x7xbf16>
    %15 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%14 : tensor<1x2x5x7xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      %28 = math.exp %in : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5x7xbf16>
    %16 = tensor.empty() : tensor<1x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<1x2x5x7xbf16>) outs(%16 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %28 = arith.extf %in : bf16 to f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5x7xf32>
    %18 = tensor.empty() : tensor<1x2x5xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %20 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%17 : tensor<1x2x5x7xf32>) outs(%19 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %out, %in : f32
      linalg.yield %28 : f32
    } -> tensor<1x2x5xf32>
    %expanded_6 = tensor.expand_shape %20 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %21 = tensor.empty() : tensor<1x2x5x1xbf16>
    %22 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<1x2x5x1xf32>) outs(%21 : tensor<1x2x5x1xbf16>) {
    ^bb0(%in: f32, %out: bf16):
      %28 = arith.truncf %in : f32 to bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5x1xbf16>
    %23 = linalg.generic {indexing_maps = [#map6, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%22 : tensor<1x2x5x1xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      linalg.yield %in : bf16
    } -> tensor<1x2x5x7xbf16>
    %24 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15, %23 : tensor<1x2x5x7xbf16>, tensor<1x2x5x7xbf16>) outs(%5 : tensor<1x2x5x7xbf16>) {
    ^bb0(%in: bf16, %in_10: bf16, %out: bf16):
      %28 = arith.divf %in, %in_10 : bf16
      linalg.yield %28 : bf16
    } -> tensor<1x2x5x7xbf16>
    %collapsed_7 = tensor.collapse_shape %24 [[0, 1], [2], [3]] : tensor<1x2x5x7xbf16> into tensor<2x5x7xbf16>
    %collapsed_8 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xbf16> into tensor<2x7x4xbf16>
    %25 = tensor.empty() : tensor<2x5x4xbf16>
    %26 = linalg.fill ins(%cst_1 : bf16) outs(%25 : tensor<2x5x4xbf16>) -> tensor<2x5x4xbf16>
    %27 = linalg.batch_matmul ins(%collapsed_7, %collapsed_8 : tensor<2x5x7xbf16>, tensor<2x7x4xbf16>) outs(%26 : tensor<2x5x4xbf16>) -> tensor<2x5x4xbf16>
    %expanded_9 = tensor.expand_shape %27 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xbf16> into tensor<1x2x5x4xbf16>
    return %expanded_9 : tensor<1x2x5x4xbf16>
  }
}

