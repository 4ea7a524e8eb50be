// Next-scale attention: a constant bias of 0 and -inf.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask block_causal<scales = [1, 4, 9]>
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map1 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2) -> ()>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x14x4xf32>, %arg1: tensor<1x2x14x4xf32>, %arg2: tensor<1x2x14x4xf32>) -> tensor<1x2x14x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<1x2x14x14xf32>
    %cst_2 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_3 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_4 = arith.constant 0.70710678118654757 : f64
    %cst_5 = arith.constant 0xFFF0000000000000 : f64
    %cst_6 = arith.constant dense<[[[0], [1], [1], [1], [1], [2], [2], [2], [2], [2], [2], [2], [2], [2]]]> : tensor<1x14x1xi64>
    %0 = tensor.empty() : tensor<1x1x14xi64>
    %transposed = linalg.transpose ins(%cst_6 : tensor<1x14x1xi64>) outs(%0 : tensor<1x1x14xi64>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<1x14x14xi1>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_6, %transposed : tensor<1x14x1xi64>, tensor<1x1x14xi64>) outs(%1 : tensor<1x14x14xi1>) {
    ^bb0(%in: i64, %in_14: i64, %out: i1):
      %34 = arith.cmpi sge, %in, %in_14 : i64
      linalg.yield %34 : i1
    } -> tensor<1x14x14xi1>
    %3 = tensor.empty() : tensor<1x14x14xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map3, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%2, %cst_2, %cst_3 : tensor<1x14x14xi1>, tensor<f32>, tensor<f32>) outs(%3 : tensor<1x14x14xf32>) {
    ^bb0(%in: i1, %in_14: f32, %in_15: f32, %out: f32):
      %34 = arith.select %in, %in_14, %in_15 : f32
      linalg.yield %34 : f32
    } -> tensor<1x14x14xf32>
    %expanded = tensor.expand_shape %4 [[0], [1, 2], [3]] output_shape [1, 1, 14, 14] : tensor<1x14x14xf32> into tensor<1x1x14x14xf32>
    %5 = tensor.empty() : tensor<1x2x14x4xf32>
    %6 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x2x14x4xf32>) outs(%5 : tensor<1x2x14x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.truncf %cst_4 : f64 to f32
      %35 = arith.mulf %in, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x14x4xf32>
    %7 = tensor.empty() : tensor<1x2x4x14xf32>
    %transposed_7 = linalg.transpose ins(%arg1 : tensor<1x2x14x4xf32>) outs(%7 : tensor<1x2x4x14xf32>) permutation = [0, 1, 3, 2]
    %8 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_7 : tensor<1x2x4x14xf32>) outs(%7 : tensor<1x2x4x14xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.truncf %cst_4 : f64 to f32
      %35 = arith.mulf %in, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x4x14xf32>
    %collapsed = tensor.collapse_shape %6 [[0, 1], [2], [3]] : tensor<1x2x14x4xf32> into tensor<2x14x4xf32>
    %collapsed_8 = tensor.collapse_shape %8 [[0, 1], [2], [3]] : tensor<1x2x4x14xf32> into tensor<2x4x14xf32>
    %9 = tensor.empty() : tensor<2x14x14xf32>
    %10 = linalg.fill ins(%cst : f32) outs(%9 : tensor<2x14x14xf32>) -> tensor<2x14x14xf32>
    %11 = linalg.batch_matmul ins(%collapsed, %collapsed_8 : tensor<2x14x4xf32>, tensor<2x4x14xf32>) outs(%10 : tensor<2x14x14xf32>) -> tensor<2x14x14xf32>
    %expanded_9 = tensor.expand_shape %11 [[0, 1], [2], [3]] output_shape [1, 2, 14, 14] : tensor<2x14x14xf32> into tensor<1x2x14x14xf32>
    %12 = tensor.empty() : tensor<1x2x14x14xf32>
    %13 = linalg.generic {indexing_maps = [#map4, #map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_9, %expanded : tensor<1x2x14x14xf32>, tensor<1x1x14x14xf32>) outs(%12 : tensor<1x2x14x14xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %34 = arith.addf %in, %in_14 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x14xf32>
    %14 = tensor.empty() : tensor<1x2x14xi64>
    %15 = linalg.fill ins(%c0_i64 : i64) outs(%14 : tensor<1x2x14xi64>) -> tensor<1x2x14xi64>
    %16 = tensor.empty() : tensor<1x2x14xf32>
    %17 = linalg.fill ins(%cst_0 : f32) outs(%16 : tensor<1x2x14xf32>) -> tensor<1x2x14xf32>
    %18:2 = linalg.generic {indexing_maps = [#map4, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%13 : tensor<1x2x14x14xf32>) outs(%17, %15 : tensor<1x2x14xf32>, tensor<1x2x14xi64>) {
    ^bb0(%in: f32, %out: f32, %out_14: i64):
      %34 = linalg.index 3 : index
      %35 = arith.index_cast %34 : index to i64
      %36 = arith.maximumf %in, %out : f32
      %37 = arith.cmpf ogt, %in, %out : f32
      %38 = arith.select %37, %35, %out_14 : i64
      linalg.yield %36, %38 : f32, i64
    } -> (tensor<1x2x14xf32>, tensor<1x2x14xi64>)
    %expanded_10 = tensor.expand_shape %18#0 [[0], [1], [2, 3]] output_shape [1, 2, 14, 1] : tensor<1x2x14xf32> into tensor<1x2x14x1xf32>
    %19 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%13, %expanded_10 : tensor<1x2x14x14xf32>, tensor<1x2x14x1xf32>) outs(%12 : tensor<1x2x14x14xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %34 = arith.subf %in, %in_14 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x14xf32>
    %20 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19 : tensor<1x2x14x14xf32>) outs(%12 : tensor<1x2x14x14xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x14xf32>
    %21 = tensor.empty() : tensor<1x2x14x1xf32>
    %22 = linalg.fill ins(%cst : f32) outs(%21 : tensor<1x2x14x1xf32>) -> tensor<1x2x14x1xf32>
    %23 = linalg.generic {indexing_maps = [#map4, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%20 : tensor<1x2x14x14xf32>) outs(%22 : tensor<1x2x14x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %in, %out : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x1xf32>
    %24 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20, %23 : tensor<1x2x14x14xf32>, tensor<1x2x14x1xf32>) outs(%12 : tensor<1x2x14x14xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %34 = arith.divf %in, %in_14 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x14xf32>
    %25 = tensor.empty() : tensor<1x2x14x14xi1>
    %26 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%13 : tensor<1x2x14x14xf32>) outs(%25 : tensor<1x2x14x14xi1>) {
    ^bb0(%in: f32, %out: i1):
      %34 = arith.extf %in : f32 to f64
      %35 = arith.cmpf oeq, %34, %cst_5 : f64
      linalg.yield %35 : i1
    } -> tensor<1x2x14x14xi1>
    %27 = tensor.empty() : tensor<1x2x14x1xi1>
    %28 = linalg.fill ins(%true : i1) outs(%27 : tensor<1x2x14x1xi1>) -> tensor<1x2x14x1xi1>
    %29 = linalg.generic {indexing_maps = [#map4, #map7], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%26 : tensor<1x2x14x14xi1>) outs(%28 : tensor<1x2x14x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %34 = arith.andi %in, %out : i1
      linalg.yield %34 : i1
    } -> tensor<1x2x14x1xi1>
    %30 = linalg.generic {indexing_maps = [#map7, #map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29, %cst_1, %24 : tensor<1x2x14x1xi1>, tensor<1x2x14x14xf32>, tensor<1x2x14x14xf32>) outs(%12 : tensor<1x2x14x14xf32>) {
    ^bb0(%in: i1, %in_14: f32, %in_15: f32, %out: f32):
      %34 = arith.select %in, %in_14, %in_15 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x14x14xf32>
    %collapsed_11 = tensor.collapse_shape %30 [[0, 1], [2], [3]] : tensor<1x2x14x14xf32> into tensor<2x14x14xf32>
    %collapsed_12 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x14x4xf32> into tensor<2x14x4xf32>
    %31 = tensor.empty() : tensor<2x14x4xf32>
    %32 = linalg.fill ins(%cst : f32) outs(%31 : tensor<2x14x4xf32>) -> tensor<2x14x4xf32>
    %33 = linalg.batch_matmul ins(%collapsed_11, %collapsed_12 : tensor<2x14x14xf32>, tensor<2x14x4xf32>) outs(%32 : tensor<2x14x4xf32>) -> tensor<2x14x4xf32>
    %expanded_13 = tensor.expand_shape %33 [[0, 1], [2], [3]] output_shape [1, 2, 14, 4] : tensor<2x14x4xf32> into tensor<1x2x14x4xf32>
    return %expanded_13 : tensor<1x2x14x4xf32>
  }
}
