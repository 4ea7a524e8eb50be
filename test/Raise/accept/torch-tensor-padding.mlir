// Padding that is an argument, without a guard: NaN where a row is left without any key.
//
// ARGS: normal normal normal normal normal mask mask
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}key_weights({{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1) -> (d0, 0)>
#map5 = affine_map<(d0, d1) -> (0, d1)>
#map6 = affine_map<(d0, d1) -> (d0, d1)>
#map7 = affine_map<(d0, d1, d2) -> (d1, d2)>
#map8 = affine_map<(d0, d1, d2) -> ()>
#map9 = affine_map<(d0, d1) -> (d0)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map11 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<6x3xf32>, %arg4: tensor<7x3xf32>, %arg5: tensor<6xi1>, %arg6: tensor<7xi1>) -> tensor<5x3xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [5, 4, 1, 1] : tensor<5x4xf32> into tensor<5x4x1x1xf32>
    %0 = tensor.empty() : tensor<5x1x1x4xf32>
    %transposed = linalg.transpose ins(%expanded : tensor<5x4x1x1xf32>) outs(%0 : tensor<5x1x1x4xf32>) permutation = [0, 2, 3, 1]
    %expanded_3 = tensor.expand_shape %arg1 [[0], [1, 2, 3]] output_shape [6, 4, 1, 1] : tensor<6x4xf32> into tensor<6x4x1x1xf32>
    %1 = tensor.empty() : tensor<1x6x1x4xf32>
    %transposed_4 = linalg.transpose ins(%expanded_3 : tensor<6x4x1x1xf32>) outs(%1 : tensor<1x6x1x4xf32>) permutation = [2, 0, 3, 1]
    %expanded_5 = tensor.expand_shape %arg2 [[0], [1, 2, 3]] output_shape [7, 4, 1, 1] : tensor<7x4xf32> into tensor<7x4x1x1xf32>
    %2 = tensor.empty() : tensor<5x6x1x4xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed, %transposed_4 : tensor<5x1x1x4xf32>, tensor<1x6x1x4xf32>) outs(%2 : tensor<5x6x1x4xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %37 = arith.mulf %in, %in_31 : f32
      linalg.yield %37 : f32
    } -> tensor<5x6x1x4xf32>
    %4 = tensor.empty() : tensor<5x6x4x1xf32>
    %transposed_6 = linalg.transpose ins(%3 : tensor<5x6x1x4xf32>) outs(%4 : tensor<5x6x4x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %transposed_6 [[0, 1], [2, 3]] : tensor<5x6x4x1xf32> into tensor<30x4xf32>
    %expanded_7 = tensor.expand_shape %collapsed [[0, 1], [2]] output_shape [1, 30, 4] : tensor<30x4xf32> into tensor<1x30x4xf32>
    %5 = tensor.empty() : tensor<4x7x1x1xf32>
    %transposed_8 = linalg.transpose ins(%expanded_5 : tensor<7x4x1x1xf32>) outs(%5 : tensor<4x7x1x1xf32>) permutation = [1, 0, 2, 3]
    %collapsed_9 = tensor.collapse_shape %transposed_8 [[0], [1, 2, 3]] : tensor<4x7x1x1xf32> into tensor<4x7xf32>
    %expanded_10 = tensor.expand_shape %collapsed_9 [[0, 1], [2]] output_shape [1, 4, 7] : tensor<4x7xf32> into tensor<1x4x7xf32>
    %6 = tensor.empty() : tensor<1x30x7xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %8 = linalg.batch_matmul ins(%expanded_7, %expanded_10 : tensor<1x30x4xf32>, tensor<1x4x7xf32>) outs(%7 : tensor<1x30x7xf32>) -> tensor<1x30x7xf32>
    %collapsed_11 = tensor.collapse_shape %8 [[0, 1], [2]] : tensor<1x30x7xf32> into tensor<30x7xf32>
    %expanded_12 = tensor.expand_shape %collapsed_11 [[0, 1], [2, 3]] output_shape [5, 6, 1, 7] : tensor<30x7xf32> into tensor<5x6x1x7xf32>
    %9 = tensor.empty() : tensor<5x6x7x1xf32>
    %transposed_13 = linalg.transpose ins(%expanded_12 : tensor<5x6x1x7xf32>) outs(%9 : tensor<5x6x7x1xf32>) permutation = [0, 1, 3, 2]
    %collapsed_14 = tensor.collapse_shape %transposed_13 [[0], [1], [2, 3]] : tensor<5x6x7x1xf32> into tensor<5x6x7xf32>
    %10 = tensor.empty() : tensor<5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_14 : tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = arith.mulf %in, %cst_2 : f32
      linalg.yield %37 : f32
    } -> tensor<5x6x7xf32>
    %expanded_15 = tensor.expand_shape %arg5 [[0, 1]] output_shape [6, 1] : tensor<6xi1> into tensor<6x1xi1>
    %expanded_16 = tensor.expand_shape %arg6 [[0, 1]] output_shape [1, 7] : tensor<7xi1> into tensor<1x7xi1>
    %12 = tensor.empty() : tensor<6x7xi1>
    %13 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel"]} ins(%expanded_15, %expanded_16 : tensor<6x1xi1>, tensor<1x7xi1>) outs(%12 : tensor<6x7xi1>) {
    ^bb0(%in: i1, %in_31: i1, %out: i1):
      %37 = arith.andi %in, %in_31 : i1
      linalg.yield %37 : i1
    } -> tensor<6x7xi1>
    %14 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%13 : tensor<6x7xi1>) outs(%12 : tensor<6x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      %37 = arith.xori %in, %true : i1
      linalg.yield %37 : i1
    } -> tensor<6x7xi1>
    %15 = linalg.generic {indexing_maps = [#map7, #map8, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%14, %cst_1, %11 : tensor<6x7xi1>, tensor<f32>, tensor<5x6x7xf32>) outs(%10 : tensor<5x6x7xf32>) {
    ^bb0(%in: i1, %in_31: f32, %in_32: f32, %out: f32):
      %37 = arith.select %in, %in_31, %in_32 : f32
      linalg.yield %37 : f32
    } -> tensor<5x6x7xf32>
    %collapsed_17 = tensor.collapse_shape %15 [[0], [1, 2]] : tensor<5x6x7xf32> into tensor<5x42xf32>
    %16 = tensor.empty() : tensor<5xi64>
    %17 = linalg.fill ins(%c0_i64 : i64) outs(%16 : tensor<5xi64>) -> tensor<5xi64>
    %18 = tensor.empty() : tensor<5xf32>
    %19 = linalg.fill ins(%cst_0 : f32) outs(%18 : tensor<5xf32>) -> tensor<5xf32>
    %20:2 = linalg.generic {indexing_maps = [#map6, #map9, #map9], iterator_types = ["parallel", "reduction"]} ins(%collapsed_17 : tensor<5x42xf32>) outs(%19, %17 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_31: i64):
      %37 = linalg.index 1 : index
      %38 = arith.index_cast %37 : index to i64
      %39 = arith.maximumf %in, %out : f32
      %40 = arith.cmpf ogt, %in, %out : f32
      %41 = arith.select %40, %38, %out_31 : i64
      linalg.yield %39, %41 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded_18 = tensor.expand_shape %20#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %21 = tensor.empty() : tensor<5x42xf32>
    %22 = linalg.generic {indexing_maps = [#map6, #map4, #map6], iterator_types = ["parallel", "parallel"]} ins(%collapsed_17, %expanded_18 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%21 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %37 = arith.subf %in, %in_31 : f32
      linalg.yield %37 : f32
    } -> tensor<5x42xf32>
    %23 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%22 : tensor<5x42xf32>) outs(%21 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = math.exp %in : f32
      linalg.yield %37 : f32
    } -> tensor<5x42xf32>
    %24 = tensor.empty() : tensor<5x1xf32>
    %25 = linalg.fill ins(%cst : f32) outs(%24 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %26 = linalg.generic {indexing_maps = [#map6, #map4], iterator_types = ["parallel", "reduction"]} ins(%23 : tensor<5x42xf32>) outs(%25 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = arith.addf %in, %out : f32
      linalg.yield %37 : f32
    } -> tensor<5x1xf32>
    %27 = linalg.generic {indexing_maps = [#map6, #map4, #map6], iterator_types = ["parallel", "parallel"]} ins(%23, %26 : tensor<5x42xf32>, tensor<5x1xf32>) outs(%21 : tensor<5x42xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %37 = arith.divf %in, %in_31 : f32
      linalg.yield %37 : f32
    } -> tensor<5x42xf32>
    %expanded_19 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [6, 3, 1, 1] : tensor<6x3xf32> into tensor<6x3x1x1xf32>
    %28 = tensor.empty() : tensor<1x3x6x1xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<6x3x1x1xf32>) outs(%28 : tensor<1x3x6x1xf32>) permutation = [2, 1, 0, 3]
    %expanded_21 = tensor.expand_shape %arg4 [[0], [1, 2, 3]] output_shape [7, 3, 1, 1] : tensor<7x3xf32> into tensor<7x3x1x1xf32>
    %29 = tensor.empty() : tensor<1x3x1x7xf32>
    %transposed_22 = linalg.transpose ins(%expanded_21 : tensor<7x3x1x1xf32>) outs(%29 : tensor<1x3x1x7xf32>) permutation = [2, 1, 3, 0]
    %30 = tensor.empty() : tensor<1x3x6x7xf32>
    %31 = linalg.generic {indexing_maps = [#map10, #map11, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_20, %transposed_22 : tensor<1x3x6x1xf32>, tensor<1x3x1x7xf32>) outs(%30 : tensor<1x3x6x7xf32>) {
    ^bb0(%in: f32, %in_31: f32, %out: f32):
      %37 = arith.mulf %in, %in_31 : f32
      linalg.yield %37 : f32
    } -> tensor<1x3x6x7xf32>
    %expanded_23 = tensor.expand_shape %27 [[0, 1], [2]] output_shape [1, 5, 42] : tensor<5x42xf32> into tensor<1x5x42xf32>
    %32 = tensor.empty() : tensor<6x7x3x1xf32>
    %transposed_24 = linalg.transpose ins(%31 : tensor<1x3x6x7xf32>) outs(%32 : tensor<6x7x3x1xf32>) permutation = [2, 3, 1, 0]
    %collapsed_25 = tensor.collapse_shape %transposed_24 [[0, 1], [2, 3]] : tensor<6x7x3x1xf32> into tensor<42x3xf32>
    %expanded_26 = tensor.expand_shape %collapsed_25 [[0, 1], [2]] output_shape [1, 42, 3] : tensor<42x3xf32> into tensor<1x42x3xf32>
    %33 = tensor.empty() : tensor<1x5x3xf32>
    %34 = linalg.fill ins(%cst : f32) outs(%33 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %35 = linalg.batch_matmul ins(%expanded_23, %expanded_26 : tensor<1x5x42xf32>, tensor<1x42x3xf32>) outs(%34 : tensor<1x5x3xf32>) -> tensor<1x5x3xf32>
    %collapsed_27 = tensor.collapse_shape %35 [[0, 1], [2]] : tensor<1x5x3xf32> into tensor<5x3xf32>
    %expanded_28 = tensor.expand_shape %collapsed_27 [[0], [1, 2, 3]] output_shape [5, 1, 1, 3] : tensor<5x3xf32> into tensor<5x1x1x3xf32>
    %36 = tensor.empty() : tensor<5x3x1x1xf32>
    %transposed_29 = linalg.transpose ins(%expanded_28 : tensor<5x1x1x3xf32>) outs(%36 : tensor<5x3x1x1xf32>) permutation = [0, 3, 1, 2]
    %collapsed_30 = tensor.collapse_shape %transposed_29 [[0], [1, 2, 3]] : tensor<5x3x1x1xf32> into tensor<5x3xf32>
    return %collapsed_30 : tensor<5x3xf32>
  }
}
