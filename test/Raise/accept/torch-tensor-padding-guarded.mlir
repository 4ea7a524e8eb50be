// Padding of the last keys as an argument, with a guard: 0 where there is none.
//
// ARGS: normal normal normal normal normal mask
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}key_weights({{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0) -> (d0)>
#map5 = affine_map<(d0, d1, d2) -> (d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map8 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map9 = affine_map<(d0, d1) -> (d0, d1)>
#map10 = affine_map<(d0, d1) -> (d0)>
#map11 = affine_map<(d0, d1) -> (d0, 0)>
#map12 = affine_map<(d0, d1, d2) -> (d0, 0, 0)>
#map13 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map14 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>, %arg5: tensor<7xi1>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_3 = arith.constant 0xFFF0000000000000 : f64
    %cst_4 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [5, 4, 1, 1] : tensor<5x4xf32> into tensor<5x4x1x1xf32>
    %0 = tensor.empty() : tensor<5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<5x4x1x1xf32>) outs(%0 : tensor<5x1x1x4xf32>) permutation = [0, 2, 3, 1]
    %expanded_5 = tensor.expand_shape %arg1 [[0], [1, 2, 3]] output_shape [6, 4, 1, 1] : tensor<6x4xf32> into tensor<6x4x1x1xf32>
    %1 = tensor.empty() : tensor<1x6x1x4xf32>
    %transposed_6 = linalg.transpose ins(%expanded_5 : tensor<6x4x1x1xf32>) outs(%1 : tensor<1x6x1x4xf32>) permutation = [2, 0, 3, 1]
    %expanded_7 = tensor.expand_shape %arg2 [[0], [1, 2, 3]] output_shape [7, 4, 1, 1] : tensor<7x4xf32> into tensor<7x4x1x1xf32>
    %2 = tensor.empty() : tensor<5x6x1x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_6 : tensor<5x1x1x4xf32>, tensor<1x6x1x4xf32>) outs(%2 : tensor<5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_33: f32, %out: f32):
      %45 = arith.mulf %in, %in_33 : f32
      linalg.yield %45 : f32
    } -> tensor<5x6x1x4xf32>
    %4 = tensor.empty() : tensor<5x6x4x1xf32>
    %transposed_8 = linalg.transpose ins(%3 : tensor<5x6x1x4xf32>) outs(%4 : tensor<5x6x4x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %transposed_8 [[0, 1], [2, 3]] : tensor<5x6x4x1xf32> into tensor<30x4xf32>
    %expanded_9 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 30, 4] : tensor<30x4xf32> into tensor<1x30x4xf32>
    %5 = tensor.empty() : tensor<4x7x1x1xf32>
    %transposed_10 = linalg.transpose ins(%expanded_7 : tensor<7x4x1x1xf32>) outs(%5 : tensor<4x7x1x1xf32>) permutation = [1, 0, 2, 3]
    %collapsed_11 = tensor.collapse_shape %transposed_10 [[0], [1, 2, 3]] : tensor<4x7x1x1xf32> into tensor<4x7xf32>
    %expanded_12 = tensor.expand_shape %collapsed_11 [[0, 1], [2]] output_shape [1, 4, 7] : tensor<4x7xf32> into tensor<1x4x7xf32>
    %6 = tensor.empty() : tensor<1x30x7xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %8 = linalg.batch_matmul ins(%expanded_9, %expanded_12 : tensor<1x30x4xf32>, tensor<1x4x7xf32>) outs(%7 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %collapsed_13 = tensor.collapse_shape %8 [[0, 1], [2]] : tensor<1x30x7xf32> into tensor<30x7xf32>
    %expanded_14 = tensor.expand_shape %collapsed_13 [[0, 1], [2, 3]] output_shape [5, 6, 1, 7] : tensor<30x7xf32> into tensor<5x6x1x7xf32>
    %9 = tensor.empty() : tensor<5x6x7x1xf32>
    %transposed_15 = linalg.transpose ins(%expanded_14 : tensor<5x6x1x7xf32>) outs(%9 : tensor<5x6x7x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed_16 = tensor.collapse_shape %transposed_15 [[0], [1], [2, 3]] : tensor<5x6x7x1xf32> into tensor<5x6x7xf32>
    %10 = tensor.empty() : tensor<5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_16 : tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.mulf %in, %cst_4 : f32
      linalg.yield %45 : f32
    } -> tensor<5x6x7xf32>
    %12 = tensor.empty() : tensor<7xi1>
    %13 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel"]} ins(%arg5 : tensor<7xi1>) outs(%12 : tensor<7xi1>) {
    ^bb0(%in: i1, %out: i1):
      %45 = arith.xori %in, %true : i1
      linalg.yield %45 : i1
    } -> tensor<7xi1>
    %14 = linalg.generic {indexing_maps = [#map5, #map6, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %cst_2, %11 : tensor<7xi1>, tensor<f32>, tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: i1, %in_33: f32, %in_34: f32, %out: f32):
      %45 = arith.select %in, %in_33, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<5x6x7xf32>
    %15 = tensor.empty() : tensor<5x6x7xi1>
    %16 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14 : tensor<5x6x7xf32>) outs(%15 : tensor<5x6x7xi1>) {
    ^bb0(%in: f32, %out: i1):
      %45 = arith.extf %in : f32 to f64
      %46 = arith.cmpf oeq, %45, %cst_3 : f64
      linalg.yield %46 : i1
    } -> tensor<5x6x7xi1>
    %17 = tensor.empty() : tensor<5x6x1xi1>
    %18 = linalg.fill ins(%true : i1) outs(%17 : tensor<5x6x1xi1>) -> tensor<5x6x1xi1>
    %19 = linalg.generic {indexing_maps = [#map3, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%16 : tensor<5x6x7xi1>) outs(%18 : tensor<5x6x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %45 = arith.andi %in, %out : i1
      linalg.yield %45 : i1
    } -> tensor<5x6x1xi1>
    %20 = tensor.empty() : tensor<5x1x1xi1>
    %21 = linalg.fill ins(%true : i1) outs(%20 : tensor<5x1x1xi1>) -> tensor<5x1x1xi1>
    %22 = linalg.generic {indexing_maps = [#map3, #map8], iterator_types = ["parallel", "reduction", "parallel"]} ins(%19 : tensor<5x6x1xi1>) outs(%21 : tensor<5x1x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %45 = arith.andi %in, %out : i1
      linalg.yield %45 : i1
    } -> tensor<5x1x1xi1>
    %collapsed_17 = tensor.collapse_shape %14 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %23 = tensor.empty() : tensor<5xi64>
    %24 = linalg.fill ins(%c0_i64 : i64) outs(%23 : tensor<5xi64>) -> tensor<5xi64>
    %25 = tensor.empty() : tensor<5xf32>
    %26 = linalg.fill ins(%cst_0 : f32) outs(%25 : tensor<5xf32>) -> tensor<5xf32>
    %27:2 = linalg.generic {indexing_maps = [#map9, #map10, #map10], iterator_types = ["parallel", "reduction"]} ins(%collapsed_17 : tensor<5x42xf32>) outs(%26, %24 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_33: i64):
      %45 = linalg.index 1 : index
      %46 = arith.index_cast %45 : index to i64
      %47 = arith.maximumf %in, %out : f32
      %48 = arith.cmpf ogt, %in, %out : f32
      %49 = arith.select %48, %46, %out_33 : i64
      linalg.yield %47, %49 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_18 = tensor.expand_shape %27#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %28 = tensor.empty() : tensor<5x42xf32>
    %29 = linalg.generic {indexing_maps = [#map9, #map11, #map9], iterator_types = ["parallel", "parallel"]} ins(%collapsed_17, %expanded_18 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%28 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_33: f32, %out: f32):
      %45 = arith.subf %in, %in_33 : f32
      linalg.yield %45 : f32
    } -> tensor<5x42xf32>
    %30 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%29 : tensor<5x42xf32>) outs(%28 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = math.exp %in : f32
      linalg.yield %45 : f32
    } -> tensor<5x42xf32>
    %31 = tensor.empty() : tensor<5x1xf32>
    %32 = linalg.fill ins(%cst : f32) outs(%31 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %33 = linalg.generic {indexing_maps = [#map9, #map11], iterator_types = ["parallel", "reduction"]} ins(%30 : tensor<5x42xf32>) outs(%32 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %45 = arith.addf %in, %out : f32
      linalg.yield %45 : f32
    } -> tensor<5x1xf32>
    %34 = linalg.generic {indexing_maps = [#map9, #map11, #map9], iterator_types = ["parallel", "parallel"]} ins(%30, %33 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%28 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_33: f32, %out: f32):
      %45 = arith.divf %in, %in_33 : f32
      linalg.yield %45 : f32
    } -> tensor<5x42xf32>
    %expanded_19 = tensor.expand_shape %34 [[0], [1, 2]] output_shape [5, 6, 7] : tensor<5x42xf32> into tensor<5x6x7xf32>
    %35 = linalg.generic {indexing_maps = [#map12, #map6, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%22, %cst_1, %expanded_19 : tensor<5x1x1xi1>, tensor<f32>, tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: i1, %in_33: f32, %in_34: f32, %out: f32):
      %45 = arith.select %in, %in_33, %in_34 : f32
      linalg.yield %45 : f32
    } -> tensor<5x6x7xf32>
    %expanded_20 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %36 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_21 = linalg.transpose ins(%expanded_20 : tensor<6x3x1x1xf32>) outs(%36 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_22 = tensor.expand_shape %arg4 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %37 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_23 = linalg.transpose ins(%expanded_22 : tensor<7x3x1x1xf32>) outs(%37 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %38 = tensor.empty() : tensor<1x3x6x7xf32>
    %39 = linalg.generic {indexing_maps = [#map13, #map14, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_21, %transposed_23 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%38 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_33: f32, %out: f32):
      %45 = arith.mulf %in, %in_33 : f32
      linalg.yield %45 : f32
    } -> tensor<1x3x6x7xf32>
    %collapsed_24 = tensor.collapse_shape %35 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %expanded_25 = tensor.expand_shape %collapsed_24 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %40 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_26 = linalg.transpose ins(%39 : tensor<1x3x6x7xf32>) outs(%40 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_27 = tensor.collapse_shape %transposed_26 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_28 = tensor.expand_shape %collapsed_27 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %41 = tensor.empty() : tensor<1x5x3xf32>
    %42 = linalg.fill ins(%cst : f32) outs(%41 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %43 = linalg.batch_matmul ins(%expanded_25, %expanded_28 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%42 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_29 = tensor.collapse_shape %43 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_30 = tensor.expand_shape %collapsed_29 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %44 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_31 = linalg.transpose ins(%expanded_30 : tensor<5x1x1x3xf32>) outs(%44 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_32 = tensor.collapse_shape %transposed_31 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_32 : tensor<5x3xf32>
  }
}
