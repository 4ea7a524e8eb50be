// MultiheadAttention with a key padding mask.
//
// ARGS: normal small small small small drop
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> ()>
#map2 = affine_map<(d0, d1) -> (d1)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<6x2x8xf32>, %arg1: tensor<24x8xf32>, %arg2: tensor<24xf32>, %arg3: tensor<8x8xf32>, %arg4: tensor<8xf32>, %arg5: tensor<2x6xi1>) -> tensor<6x2x8xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<2x2x6x6xf32>
    %cst_2 = arith.constant 0.70710678118654757 : f64
    %cst_3 = arith.constant 0xFFF0000000000000 : f64
    %cst_4 = arith.constant dense<0.000000e+00> : tensor<2x6xf32>
    %cst_5 = arith.constant dense<0xFF800000> : tensor<f32>
    %0 = tensor.empty() : tensor<2x6xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg5, %cst_5, %cst_4 : tensor<2x6xi1>, tensor<f32>, tensor<2x6xf32>) outs(%0 : tensor<2x6xf32>) {
    ^bb0(%in: i1, %in_34: f32, %in_35: f32, %out: f32):
      %45 = arith.select %in, %in_34, %in_35 : f32
      linalg.yield %45 : f32
    } -> tensor<2x6xf32>
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<6x2x8xf32> into tensor<12x8xf32>
    %2 = tensor.empty() : tensor<8x24xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<24x8xf32>) outs(%2 : tensor<8x24xf32>) permutation = [1, 0]
    %3 = tensor.empty() : tensor<12x24xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<12x24xf32>) -> tensor<12x24xf32>
    %5 = linalg.matmul ins(%collapsed, %transposed : tensor<12x8xf32>, tensor<8x24xf32>) outs(%4 : tensor<12x24xf32>) -> tensor<12x24xf32>
    %6 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%5, %arg2 : tensor<12x24xf32>, tensor<24xf32>) outs(%3 : tensor<12x24xf32>) {
    ^bb0(%in: f32, %in_34: f32, %out: f32):
      %45 = arith.addf %in, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<12x24xf32>
    %expanded = tensor.expand_shape %6 [[0, 1, 2], [3, 4]] output_shape [1, 6, 2, 3, 8] : tensor<12x24xf32> into tensor<1x6x2x3x8xf32>
    %7 = tensor.empty() : tensor<3x6x2x1x8xf32>
    %transposed_6 = linalg.transpose ins(%expanded : tensor<1x6x2x3x8xf32>) outs(%7 : tensor<3x6x2x1x8xf32>) permutation = [3, 1, 2, 0, 4]
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0], [1], [2, 3], [4]] : tensor<3x6x2x1x8xf32> into tensor<3x6x2x8xf32>
    %extracted_slice = tensor.extract_slice %collapsed_7[0, 0, 0, 0] [1, 6, 2, 8] [1, 1, 1, 1] : tensor<3x6x2x8xf32> to tensor<1x6x2x8xf32>
    %extracted_slice_8 = tensor.extract_slice %collapsed_7[1, 0, 0, 0] [1, 6, 2, 8] [1, 1, 1, 1] : tensor<3x6x2x8xf32> to tensor<1x6x2x8xf32>
    %extracted_slice_9 = tensor.extract_slice %collapsed_7[2, 0, 0, 0] [1, 6, 2, 8] [1, 1, 1, 1] : tensor<3x6x2x8xf32> to tensor<1x6x2x8xf32>
    %collapsed_10 = tensor.collapse_shape %extracted_slice [[0, 1], [2, 3]] : tensor<1x6x2x8xf32> into tensor<6x16xf32>
    %expanded_11 = tensor.expand_shape %collapsed_10 [[0], [1, 2]] output_shape [6, 4, 4] : tensor<6x16xf32> into tensor<6x4x4xf32>
    %8 = tensor.empty() : tensor<4x6x4xf32>
    %transposed_12 = linalg.transpose ins(%expanded_11 : tensor<6x4x4xf32>) outs(%8 : tensor<4x6x4xf32>) permutation = [1, 0, 2]
    %collapsed_13 = tensor.collapse_shape %extracted_slice_8 [[0, 1], [2, 3]] : tensor<1x6x2x8xf32> into tensor<6x16xf32>
    %expanded_14 = tensor.expand_shape %collapsed_13 [[0], [1, 2]] output_shape [6, 4, 4] : tensor<6x16xf32> into tensor<6x4x4xf32>
    %transposed_15 = linalg.transpose ins(%expanded_14 : tensor<6x4x4xf32>) outs(%8 : tensor<4x6x4xf32>) permutation = [1, 0, 2]
    %collapsed_16 = tensor.collapse_shape %extracted_slice_9 [[0, 1], [2, 3]] : tensor<1x6x2x8xf32> into tensor<6x16xf32>
    %expanded_17 = tensor.expand_shape %collapsed_16 [[0], [1, 2]] output_shape [6, 4, 4] : tensor<6x16xf32> into tensor<6x4x4xf32>
    %transposed_18 = linalg.transpose ins(%expanded_17 : tensor<6x4x4xf32>) outs(%8 : tensor<4x6x4xf32>) permutation = [1, 0, 2]
    %expanded_19 = tensor.expand_shape %1 [[0], [1, 2, 3]] output_shape [2, 1, 1, 6] : tensor<2x6xf32> into tensor<2x1x1x6xf32>
    %9 = tensor.empty() : tensor<2x2x1x6xf32>
    %collapsed_20 = tensor.collapse_shape %expanded_19 [[0, 1], [2], [3]] : tensor<2x1x1x6xf32> into tensor<2x1x6xf32>
    %10 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_20 : tensor<2x1x6xf32>) outs(%9 : tensor<2x2x1x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x2x1x6xf32>
    %expanded_21 = tensor.expand_shape %transposed_12 [[0, 1], [2], [3]] output_shape [2, 2, 6, 4] : tensor<4x6x4xf32> into tensor<2x2x6x4xf32>
    %expanded_22 = tensor.expand_shape %transposed_15 [[0, 1], [2], [3]] output_shape [2, 2, 6, 4] : tensor<4x6x4xf32> into tensor<2x2x6x4xf32>
    %11 = tensor.empty() : tensor<2x2x6x4xf32>
    %12 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_21 : tensor<2x2x6x4xf32>) outs(%11 : tensor<2x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.truncf %cst_2 : f64 to f32
      %46 = arith.mulf %in, %45 : f32
      linalg.yield %46 : f32
    } -> tensor<2x2x6x4xf32>
    %13 = tensor.empty() : tensor<2x2x4x6xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<2x2x6x4xf32>) outs(%13 : tensor<2x2x4x6xf32>) permutation = [0, 1, 3, 2]
    %14 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_23 : tensor<2x2x4x6xf32>) outs(%13 : tensor<2x2x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.truncf %cst_2 : f64 to f32
      %46 = arith.mulf %in, %45 : f32
      linalg.yield %46 : f32
    } -> tensor<2x2x4x6xf32>
    %collapsed_24 = tensor.collapse_shape %12 [[0, 1], [2], [3]] : tensor<2x2x6x4xf32> into tensor<4x6x4xf32>
    %collapsed_25 = tensor.collapse_shape %14 [[0, 1], [2], [3]] : tensor<2x2x4x6xf32> into tensor<4x4x6xf32>
    %15 = tensor.empty() : tensor<4x6x6xf32>
    %16 = linalg.fill ins(%cst : f32) outs(%15 : tensor<4x6x6xf32>) -> tensor<4x6x6xf32>
    %17 = linalg.batch_matmul ins(%collapsed_24, %collapsed_25 : tensor<4x6x4xf32>, tensor<4x4x6xf32>) outs(%16 : tensor<4x6x6xf32>) -> tensor<4x6x6xf32>
    %expanded_26 = tensor.expand_shape %17 [[0, 1], [2], [3]] output_shape [2, 2, 6, 6] : tensor<4x6x6xf32> into tensor<2x2x6x6xf32>
    %18 = tensor.empty() : tensor<2x2x6x6xf32>
    %19 = linalg.generic {indexing_maps = [#map4, #map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_26, %10 : tensor<2x2x6x6xf32>, tensor<2x2x1x6xf32>) outs(%18 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_34: f32, %out: f32):
      %45 = arith.addf %in, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x6xf32>
    %20 = tensor.empty() : tensor<2x2x6xi64>
    %21 = linalg.fill ins(%c0_i64 : i64) outs(%20 : tensor<2x2x6xi64>) -> tensor<2x2x6xi64>
    %22 = tensor.empty() : tensor<2x2x6xf32>
    %23 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<2x2x6xf32>) -> tensor<2x2x6xf32>
    %24:2 = linalg.generic {indexing_maps = [#map4, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%19 : tensor<2x2x6x6xf32>) outs(%23, %21 : tensor<2x2x6xf32>, tensor<2x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_34: i64):
      %45 = linalg.index 3 : index
      %46 = arith.index_cast %45 : index to i64
      %47 = arith.maximumf %in, %out : f32
      %48 = arith.cmpf ogt, %in, %out : f32
      %49 = arith.select %48, %46, %out_34 : i64
      linalg.yield %47, %49 : f32, i64
    } -> (tensor<2x2x6xf32>, tensor<2x2x6xi64>)
    %expanded_27 = tensor.expand_shape %24#0 [[0], [1], [2, 3]] output_shape [2, 2, 6, 1] : tensor<2x2x6xf32> into tensor<2x2x6x1xf32>
    %25 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19, %expanded_27 : tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>) outs(%18 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_34: f32, %out: f32):
      %45 = arith.subf %in, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x6xf32>
    %26 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25 : tensor<2x2x6x6xf32>) outs(%18 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = math.exp %in : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x6xf32>
    %27 = tensor.empty() : tensor<2x2x6x1xf32>
    %28 = linalg.fill ins(%cst : f32) outs(%27 : tensor<2x2x6x1xf32>) -> tensor<2x2x6x1xf32>
    %29 = linalg.generic {indexing_maps = [#map4, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%26 : tensor<2x2x6x6xf32>) outs(%28 : tensor<2x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.addf %in, %out : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x1xf32>
    %30 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26, %29 : tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>) outs(%18 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_34: f32, %out: f32):
      %45 = arith.divf %in, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x6xf32>
    %31 = tensor.empty() : tensor<2x2x6x6xi1>
    %32 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19 : tensor<2x2x6x6xf32>) outs(%31 : tensor<2x2x6x6xi1>) {
    ^bb0(%in: f32, %out: i1):
      %45 = arith.extf %in : f32 to f64
      %46 = arith.cmpf oeq, %45, %cst_3 : f64
      linalg.yield %46 : i1
    } -> tensor<2x2x6x6xi1>
    %33 = tensor.empty() : tensor<2x2x6x1xi1>
    %34 = linalg.fill ins(%true : i1) outs(%33 : tensor<2x2x6x1xi1>) -> tensor<2x2x6x1xi1>
    %35 = linalg.generic {indexing_maps = [#map4, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%32 : tensor<2x2x6x6xi1>) outs(%34 : tensor<2x2x6x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %45 = arith.andi %in, %out : i1
      linalg.yield %45 : i1
    } -> tensor<2x2x6x1xi1>
    %36 = linalg.generic {indexing_maps = [#map7, #map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%35, %cst_1, %30 : tensor<2x2x6x1xi1>, tensor<2x2x6x6xf32>, tensor<2x2x6x6xf32>) outs(%18 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: i1, %in_34: f32, %in_35: f32, %out: f32):
      %45 = arith.select %in, %in_34, %in_35 : f32
      linalg.yield %45 : f32
    } -> tensor<2x2x6x6xf32>
    %collapsed_28 = tensor.collapse_shape %36 [[0, 1], [2], [3]] : tensor<2x2x6x6xf32> into tensor<4x6x6xf32>
    %37 = linalg.fill ins(%cst : f32) outs(%8 : tensor<4x6x4xf32>) -> tensor<4x6x4xf32>
    %38 = linalg.batch_matmul ins(%collapsed_28, %transposed_18 : tensor<4x6x6xf32>, tensor<4x6x4xf32>) outs(%37 : tensor<4x6x4xf32>) -> tensor<4x6x4xf32>
    %expanded_29 = tensor.expand_shape %38 [[0, 1], [2], [3]] output_shape [2, 2, 6, 4] : tensor<4x6x4xf32> into tensor<2x2x6x4xf32>
    %39 = tensor.empty() : tensor<6x2x2x4xf32>
    %transposed_30 = linalg.transpose ins(%expanded_29 : tensor<2x2x6x4xf32>) outs(%39 : tensor<6x2x2x4xf32>) permutation = [2, 0, 1, 3]
    %collapsed_31 = tensor.collapse_shape %transposed_30 [[0, 1], [2, 3]] : tensor<6x2x2x4xf32> into tensor<12x8xf32>
    %40 = tensor.empty() : tensor<8x8xf32>
    %transposed_32 = linalg.transpose ins(%arg3 : tensor<8x8xf32>) outs(%40 : tensor<8x8xf32>) permutation = [1, 0]
    %41 = tensor.empty() : tensor<12x8xf32>
    %42 = linalg.fill ins(%cst : f32) outs(%41 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %43 = linalg.matmul ins(%collapsed_31, %transposed_32 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%42 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %44 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%43, %arg4 : tensor<12x8xf32>, tensor<8xf32>) outs(%41 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_34: f32, %out: f32):
      %45 = arith.addf %in, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<12x8xf32>
    %expanded_33 = tensor.expand_shape %44 [[0, 1], [2]] output_shape [6, 2, 8] : tensor<12x8xf32> into tensor<6x2x8xf32>
    return %expanded_33 : tensor<6x2x8xf32>
  }
}
