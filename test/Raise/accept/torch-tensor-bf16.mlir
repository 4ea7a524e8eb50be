// bf16.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :{{.*}}bf16
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, 0, d4, d5)>
#map2 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, 0, d3, d4, d5)>
#map3 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map7 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, 0)>
#map8 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, 0, d5)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xbf16>, %arg1: tensor<1x2x6x4xbf16>, %arg2: tensor<1x2x7x4xbf16>, %arg3: tensor<1x2x6x3xbf16>, %arg4: tensor<1x2x7x3xbf16>) -> tensor<1x2x5x3xbf16> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x5x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x2x5x4xbf16>) outs(%0 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %46 = arith.extf %in : bf16 to f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x4xf32>
    %2 = tensor.empty() : tensor<1x2x6x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x2x6x4xbf16>) outs(%2 : tensor<1x2x6x4xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %46 = arith.extf %in : bf16 to f32
      linalg.yield %46 : f32
    } -> tensor<1x2x6x4xf32>
    %4 = tensor.empty() : tensor<1x2x7x4xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg2 : tensor<1x2x7x4xbf16>) outs(%4 : tensor<1x2x7x4xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %46 = arith.extf %in : bf16 to f32
      linalg.yield %46 : f32
    } -> tensor<1x2x7x4xf32>
    %expanded = tensor.expand_shape %1 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 5, 4, 1, 1] : tensor<1x2x5x4xf32> into tensor<1x2x5x4x1x1xf32>
    %6 = tensor.empty() : tensor<1x2x5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<1x2x5x4x1x1xf32>) outs(%6 : tensor<1x2x5x1x1x4xf32>) permutation = [0, 1, 2, 4, 5, 3]
    %expanded_2 = tensor.expand_shape %3 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 4, 1, 1] : tensor<1x2x6x4xf32> into tensor<1x2x6x4x1x1xf32>
    %7 = tensor.empty() : tensor<1x2x1x6x1x4xf32>
    %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<1x2x6x4x1x1xf32>) outs(%7 : tensor<1x2x1x6x1x4xf32>) permutation = [0, 1, 4, 2, 5, 3]
    %expanded_4 = tensor.expand_shape %5 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 4, 1, 1] : tensor<1x2x7x4xf32> into tensor<1x2x7x4x1x1xf32>
    %8 = tensor.empty() : tensor<1x2x5x6x1x4xf32>
    %9 = linalg.generic {indexing_maps = [#map1, #map2, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_3 : tensor<1x2x5x1x1x4xf32>, tensor<1x2x1x6x1x4xf32>) outs(%8 : tensor<1x2x5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_25: f32, %out: f32):
      %46 = arith.mulf %in, %in_25 : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x6x1x4xf32>
    %10 = tensor.empty() : tensor<2x1x5x6x4x1xf32>
    %transposed_5 = linalg.transpose ins(%9 : tensor<1x2x5x6x1x4xf32>) outs(%10 : tensor<2x1x5x6x4x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed = tensor.collapse_shape %transposed_5 [[0], [1, 2, 3], [4, 5]] : tensor<2x1x5x6x4x1xf32> into tensor<2x30x4xf32>
    %11 = tensor.empty() : tensor<2x4x7x1x1x1xf32>
    %transposed_6 = linalg.transpose ins(%expanded_4 : tensor<1x2x7x4x1x1xf32>) outs(%11 : tensor<2x4x7x1x1x1xf32>) permutation = [1, 3, 2, 0, 4, 5]
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0], [1], [2, 3, 4, 5]] : tensor<2x4x7x1x1x1xf32> into tensor<2x4x7xf32>
    %12 = tensor.empty() : tensor<2x30x7xf32>
    %13 = linalg.fill ins(%cst : f32) outs(%12 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %14 = linalg.batch_matmul ins(%collapsed, %collapsed_7 : tensor<2x30x4xf32>, tensor<2x4x7xf32>) outs(%13 : tensor<2x30x7xf32>) -> tensor<2x30x7xf32>
    %expanded_8 = tensor.expand_shape %14 [[0], [1, 2, 3], [4, 5]] output_shape [2, 1, 5, 6, 1, 7] : tensor<2x30x7xf32> into tensor<2x1x5x6x1x7xf32>
    %15 = tensor.empty() : tensor<1x2x5x6x7x1xf32>
    %transposed_9 = linalg.transpose ins(%expanded_8 : tensor<2x1x5x6x1x7xf32>) outs(%15 : tensor<1x2x5x6x7x1xf32>) permutation = [1, 0, 2, 3, 5, 4]
    %collapsed_10 = tensor.collapse_shape %transposed_9 [[0], [1], [2], [3], [4, 5]] : tensor<1x2x5x6x7x1xf32> into tensor<1x2x5x6x7xf32>
    %16 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %17 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_10 : tensor<1x2x5x6x7xf32>) outs(%16 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %46 = arith.mulf %in, %cst_1 : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x6x7xf32>
    %collapsed_11 = tensor.collapse_shape %17 [[0], [1], [2], [3, 4]] : tensor<1x2x5x6x7xf32> into tensor<1x2x5x42xf32>
    %18 = tensor.empty() : tensor<1x2x5xi64>
    %19 = linalg.fill ins(%c0_i64 : i64) outs(%18 : tensor<1x2x5xi64>) -> tensor<1x2x5xi64>
    %20 = tensor.empty() : tensor<1x2x5xf32>
    %21 = linalg.fill ins(%cst_0 : f32) outs(%20 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %22:2 = linalg.generic {indexing_maps = [#map, #map5, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_11 : tensor<1x2x5x42xf32>) outs(%21, %19 : tensor<1x2x5xf32>, tensor<1x2x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_25: i64):
      %46 = linalg.index 3 : index
      %47 = arith.index_cast %46 : index to i64
      %48 = arith.maximumf %in, %out : f32
      %49 = arith.cmpf ogt, %in, %out : f32
      %50 = arith.select %49, %47, %out_25 : i64
      linalg.yield %48, %50 : f32, i64
    } -> (tensor<1x2x5xf32>, tensor<1x2x5xi64>)
    %expanded_12 = tensor.expand_shape %22#0 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %23 = tensor.empty() : tensor<1x2x5x42xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map6, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_11, %expanded_12 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%23 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_25: f32, %out: f32):
      %46 = arith.subf %in, %in_25 : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x42xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%24 : tensor<1x2x5x42xf32>) outs(%23 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %46 = math.exp %in : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x42xf32>
    %26 = tensor.empty() : tensor<1x2x5x1xf32>
    %27 = linalg.fill ins(%cst : f32) outs(%26 : tensor<1x2x5x1xf32>) -> tensor<1x2x5x1xf32>
    %28 = linalg.generic {indexing_maps = [#map, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%25 : tensor<1x2x5x42xf32>) outs(%27 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %46 = arith.addf %in, %out : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x1xf32>
    %29 = linalg.generic {indexing_maps = [#map, #map6, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25, %28 : tensor<1x2x5x42xf32>, tensor<1x2x5x1xf32>) outs(%23 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_25: f32, %out: f32):
      %46 = arith.divf %in, %in_25 : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x5x42xf32>
    %30 = tensor.empty() : tensor<1x2x6x3xf32>
    %31 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg3 : tensor<1x2x6x3xbf16>) outs(%30 : tensor<1x2x6x3xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %46 = arith.extf %in : bf16 to f32
      linalg.yield %46 : f32
    } -> tensor<1x2x6x3xf32>
    %32 = tensor.empty() : tensor<1x2x7x3xf32>
    %33 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg4 : tensor<1x2x7x3xbf16>) outs(%32 : tensor<1x2x7x3xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %46 = arith.extf %in : bf16 to f32
      linalg.yield %46 : f32
    } -> tensor<1x2x7x3xf32>
    %expanded_13 = tensor.expand_shape %29 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 5, 6, 7, 1] : tensor<1x2x5x42xf32> into tensor<1x2x5x6x7x1xf32>
    %expanded_14 = tensor.expand_shape %31 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 6, 3, 1, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1x1xf32>
    %34 = tensor.empty() : tensor<1x2x1x3x6x1xf32>
    %transposed_15 = linalg.transpose ins(%expanded_14 : tensor<1x2x6x3x1x1xf32>) outs(%34 : tensor<1x2x1x3x6x1xf32>) permutation = [0, 1, 4, 3, 2, 5]
    %expanded_16 = tensor.expand_shape %33 [[0], [1], [2], [3, 4, 5]] output_shape [1, 2, 7, 3, 1, 1] : tensor<1x2x7x3xf32> into tensor<1x2x7x3x1x1xf32>
    %35 = tensor.empty() : tensor<1x2x1x3x1x7xf32>
    %transposed_17 = linalg.transpose ins(%expanded_16 : tensor<1x2x7x3x1x1xf32>) outs(%35 : tensor<1x2x1x3x1x7xf32>) permutation = [0, 1, 4, 3, 5, 2]
    %36 = tensor.empty() : tensor<1x2x1x3x6x7xf32>
    %37 = linalg.generic {indexing_maps = [#map7, #map8, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%transposed_15, %transposed_17 : tensor<1x2x1x3x6x1xf32>, tensor<1x2x1x3x1x7xf32>) outs(%36 : tensor<1x2x1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_25: f32, %out: f32):
      %46 = arith.mulf %in, %in_25 : f32
      linalg.yield %46 : f32
    } -> tensor<1x2x1x3x6x7xf32>
    %38 = tensor.empty() : tensor<2x5x6x7x1x1xf32>
    %transposed_18 = linalg.transpose ins(%expanded_13 : tensor<1x2x5x6x7x1xf32>) outs(%38 : tensor<2x5x6x7x1x1xf32>) permutation = [1, 2, 3, 4, 0, 5]
    %collapsed_19 = tensor.collapse_shape %transposed_18 [[0], [1], [2, 3, 4, 5]] : tensor<2x5x6x7x1x1xf32> into tensor<2x5x42xf32>
    %39 = tensor.empty() : tensor<2x6x7x1x3x1xf32>
    %transposed_20 = linalg.transpose ins(%37 : tensor<1x2x1x3x6x7xf32>) outs(%39 : tensor<2x6x7x1x3x1xf32>) permutation = [1, 4, 5, 0, 3, 2]
    %collapsed_21 = tensor.collapse_shape %transposed_20 [[0], [1, 2], [3, 4, 5]] : tensor<2x6x7x1x3x1xf32> into tensor<2x42x3xf32>
    %40 = tensor.empty() : tensor<2x5x3xf32>
    %41 = linalg.fill ins(%cst : f32) outs(%40 : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
    %42 = linalg.batch_matmul ins(%collapsed_19, %collapsed_21 : tensor<2x5x42xf32>, tensor<2x42x3xf32>) outs(%41 : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
    %expanded_22 = tensor.expand_shape %42 [[0], [1], [2, 3, 4, 5]] output_shape [2, 5, 1, 1, 1, 3] : tensor<2x5x3xf32> into tensor<2x5x1x1x1x3xf32>
    %43 = tensor.empty() : tensor<1x2x5x3x1x1xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<2x5x1x1x1x3xf32>) outs(%43 : tensor<1x2x5x3x1x1xf32>) permutation = [4, 0, 1, 5, 2, 3]
    %collapsed_24 = tensor.collapse_shape %transposed_23 [[0], [1], [2], [3, 4, 5]] : tensor<1x2x5x3x1x1xf32> into tensor<1x2x5x3xf32>
    %44 = tensor.empty() : tensor<1x2x5x3xbf16>
    %45 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_24 : tensor<1x2x5x3xf32>) outs(%44 : tensor<1x2x5x3xbf16>) {
    ^bb0(%in: f32, %out: bf16):
      %46 = arith.truncf %in : f32 to bf16
      linalg.yield %46 : bf16
    } -> tensor<1x2x5x3xbf16>
    return %45 : tensor<1x2x5x3xbf16>
  }
}
