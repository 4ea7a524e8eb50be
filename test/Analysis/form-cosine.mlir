// Cosine attention as torch exports it (Swin V2), up to the scores; no weight matters.
// RUN: polyattn-opt %s --attn-infer-bounds=report-contractions --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s
// CHECK: contraction bound 1: |a| <= 1 (l2_normalize at form-cosine.mlir:{{[0-9]+}}) * |b| <= 1 (l2_normalize
#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d1, 0, 0)>
module {
  func.func @main(%arg0: tensor<1x128x128xf32>) -> tensor<4x128x128xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 1.000000e+00 : f32
    %cst_4 = arith.constant dense_resource<__elided__> : tensor<4x128x128xf32>
    %cst_5 = arith.constant 4.6051701859880918 : f64
    %cst_6 = arith.constant dense_resource<__elided__> : tensor<4x1x1xf32>
    %cst_7 = arith.constant 9.9999999999999998E-13 : f64
    %cst_8 = arith.constant dense_resource<__elided__> : tensor<128xf32>
    %cst_9 = arith.constant dense_resource<__elided__> : tensor<128x128xf32>
    %cst_10 = arith.constant dense_resource<__elided__> : tensor<128x128xf32>
    %cst_11 = arith.constant dense_resource<__elided__> : tensor<128xf32>
    %cst_12 = arith.constant dense_resource<__elided__> : tensor<128x128xf32>
    %cst_13 = arith.constant 5.000000e-01 : f32
    %cst_14 = arith.constant 1.600000e+01 : f32
    %cst_15 = arith.constant 2.000000e+00 : f32
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<1x128x128xf32> into tensor<128x128xf32>
    %0 = tensor.empty() : tensor<128x128xf32>
    %transposed = linalg.transpose ins(%cst_12 : tensor<128x128xf32>) outs(%0 : tensor<128x128xf32>) permutation = [1, 0] 
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<128x128xf32>) -> tensor<128x128xf32>
    %2 = linalg.matmul ins(%collapsed, %transposed : tensor<128x128xf32>, tensor<128x128xf32>) outs(%1 : tensor<128x128xf32>) -> tensor<128x128xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%2, %cst_11 : tensor<128x128xf32>, tensor<128xf32>) outs(%0 : tensor<128x128xf32>) {
    ^bb0(%in: f32, %in_38: f32, %out: f32):
      %47 = arith.addf %in, %in_38 : f32
      linalg.yield %47 : f32
    } -> tensor<128x128xf32>
    %expanded = tensor.expand_shape %3 [[0, 1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<128x128xf32> into tensor<1x128x4x32xf32>
    %4 = tensor.empty() : tensor<1x4x128x32xf32>
    %transposed_16 = linalg.transpose ins(%expanded : tensor<1x128x4x32xf32>) outs(%4 : tensor<1x4x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_17 = linalg.transpose ins(%cst_10 : tensor<128x128xf32>) outs(%0 : tensor<128x128xf32>) permutation = [1, 0] 
    %5 = linalg.matmul ins(%collapsed, %transposed_17 : tensor<128x128xf32>, tensor<128x128xf32>) outs(%1 : tensor<128x128xf32>) -> tensor<128x128xf32>
    %expanded_18 = tensor.expand_shape %5 [[0, 1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<128x128xf32> into tensor<1x128x4x32xf32>
    %transposed_19 = linalg.transpose ins(%expanded_18 : tensor<1x128x4x32xf32>) outs(%4 : tensor<1x4x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_20 = linalg.transpose ins(%cst_9 : tensor<128x128xf32>) outs(%0 : tensor<128x128xf32>) permutation = [1, 0] 
    %6 = linalg.matmul ins(%collapsed, %transposed_20 : tensor<128x128xf32>, tensor<128x128xf32>) outs(%1 : tensor<128x128xf32>) -> tensor<128x128xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%6, %cst_8 : tensor<128x128xf32>, tensor<128xf32>) outs(%0 : tensor<128x128xf32>) {
    ^bb0(%in: f32, %in_38: f32, %out: f32):
      %47 = arith.addf %in, %in_38 : f32
      linalg.yield %47 : f32
    } -> tensor<128x128xf32>
    %expanded_21 = tensor.expand_shape %7 [[0, 1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<128x128xf32> into tensor<1x128x4x32xf32>
    %transposed_22 = linalg.transpose ins(%expanded_21 : tensor<1x128x4x32xf32>) outs(%4 : tensor<1x4x128x32xf32>) permutation = [0, 2, 1, 3] 
    %8 = tensor.empty() : tensor<1x4x128x1xf32>
    %9 = linalg.fill ins(%cst : f32) outs(%8 : tensor<1x4x128x1xf32>) -> tensor<1x4x128x1xf32>
    %10 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%transposed_16 : tensor<1x4x128x32xf32>) outs(%9 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = math.absf %in : f32
      %48 = math.powf %47, %cst_15 : f32
      %49 = arith.addf %48, %out : f32
      linalg.yield %49 : f32
    } -> tensor<1x4x128x1xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%10 : tensor<1x4x128x1xf32>) outs(%8 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = math.powf %in, %cst_13 : f32
      linalg.yield %47 : f32
    } -> tensor<1x4x128x1xf32>
    %12 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11 : tensor<1x4x128x1xf32>) outs(%8 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = arith.truncf %cst_7 : f64 to f32
      %48 = arith.cmpf ult, %in, %47 : f32
      %49 = arith.select %48, %47, %in : f32
      linalg.yield %49 : f32
    } -> tensor<1x4x128x1xf32>
    %collapsed_23 = tensor.collapse_shape %12 [[0], [1], [2, 3]] : tensor<1x4x128x1xf32> into tensor<1x4x128xf32>
    %13 = linalg.generic {indexing_maps = [#map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_23 : tensor<1x4x128xf32>) outs(%4 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x4x128x32xf32>
    %14 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_16, %13 : tensor<1x4x128x32xf32>, tensor<1x4x128x32xf32>) outs(%4 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %in_38: f32, %out: f32):
      %47 = arith.divf %in, %in_38 : f32
      linalg.yield %47 : f32
    } -> tensor<1x4x128x32xf32>
    %15 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%transposed_19 : tensor<1x4x128x32xf32>) outs(%9 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = math.absf %in : f32
      %48 = math.powf %47, %cst_15 : f32
      %49 = arith.addf %48, %out : f32
      linalg.yield %49 : f32
    } -> tensor<1x4x128x1xf32>
    %16 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<1x4x128x1xf32>) outs(%8 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = math.powf %in, %cst_13 : f32
      linalg.yield %47 : f32
    } -> tensor<1x4x128x1xf32>
    %17 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%16 : tensor<1x4x128x1xf32>) outs(%8 : tensor<1x4x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = arith.truncf %cst_7 : f64 to f32
      %48 = arith.cmpf ult, %in, %47 : f32
      %49 = arith.select %48, %47, %in : f32
      linalg.yield %49 : f32
    } -> tensor<1x4x128x1xf32>
    %collapsed_24 = tensor.collapse_shape %17 [[0], [1], [2, 3]] : tensor<1x4x128x1xf32> into tensor<1x4x128xf32>
    %18 = linalg.generic {indexing_maps = [#map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_24 : tensor<1x4x128xf32>) outs(%4 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x4x128x32xf32>
    %19 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_19, %18 : tensor<1x4x128x32xf32>, tensor<1x4x128x32xf32>) outs(%4 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %in_38: f32, %out: f32):
      %47 = arith.divf %in, %in_38 : f32
      linalg.yield %47 : f32
    } -> tensor<1x4x128x32xf32>
    %20 = tensor.empty() : tensor<4x1x1xf32>
    %21 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_6 : tensor<4x1x1xf32>) outs(%20 : tensor<4x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = arith.truncf %cst_5 : f64 to f32
      %48 = arith.cmpf ugt, %in, %47 : f32
      %49 = arith.select %48, %47, %in : f32
      linalg.yield %49 : f32
    } -> tensor<4x1x1xf32>
    %22 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21 : tensor<4x1x1xf32>) outs(%20 : tensor<4x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = math.exp %in : f32
      linalg.yield %47 : f32
    } -> tensor<4x1x1xf32>
    %23 = tensor.empty() : tensor<4x128x128xf32>
    %24 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_4 : tensor<4x128x128xf32>) outs(%23 : tensor<4x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = arith.negf %in : f32
      %48 = math.exp %47 : f32
      %49 = arith.addf %48, %cst_0 : f32
      %50 = arith.divf %cst_0, %49 : f32
      linalg.yield %50 : f32
    } -> tensor<4x128x128xf32>
    %25 = linalg.generic {indexing_maps = [#map5, #map5], iterator_types = ["parallel", "parallel", "parallel"]} ins(%24 : tensor<4x128x128xf32>) outs(%23 : tensor<4x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %47 = arith.mulf %in, %cst_14 : f32
      linalg.yield %47 : f32
    } -> tensor<4x128x128xf32>
    %expanded_25 = tensor.expand_shape %25 [[0, 1], [2], [3]] output_shape [1, 4, 128, 128] : tensor<4x128x128xf32> into tensor<1x4x128x128xf32>
    %26 = tensor.empty() : tensor<1x4x32x128xf32>
    %transposed_26 = linalg.transpose ins(%19 : tensor<1x4x128x32xf32>) outs(%26 : tensor<1x4x32x128xf32>) permutation = [0, 1, 3, 2] 
    %collapsed_27 = tensor.collapse_shape %14 [[0, 1], [2], [3]] : tensor<1x4x128x32xf32> into tensor<4x128x32xf32>
    %collapsed_28 = tensor.collapse_shape %transposed_26 [[0, 1], [2], [3]] : tensor<1x4x32x128xf32> into tensor<4x32x128xf32>
    %27 = linalg.fill ins(%cst : f32) outs(%23 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    %28 = linalg.batch_matmul ins(%collapsed_27, %collapsed_28 : tensor<4x128x32xf32>, tensor<4x32x128xf32>) outs(%27 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    return %28 : tensor<4x128x128xf32>
  }
}
