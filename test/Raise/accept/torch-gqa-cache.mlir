// repeat_interleave, causal, decoding against a cache.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask {{causal<align = end>|sliding_window<left = [0-9]+, right = [0-9]>}}{{.*}}4x{{[0-9]}}x4xf32>, tensor<{{(1x)?}}2x7x4xf32>
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0) -> (d0)>
#map4 = affine_map<(d0, d1) -> (0, d1)>
#map5 = affine_map<(d0, d1) -> (d0, 0)>
#map6 = affine_map<(d0, d1) -> (d0, d1)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> ()>
#map9 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x4x2x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>) -> tensor<1x4x2x4xf32> {
    %c5_i64 = arith.constant 5 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<true> : tensor<2x7xi1>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<1x2x2x7x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1 : tensor<1x2x7x4xf32>) outs(%0 : tensor<1x2x2x7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x7x4xf32>
    %collapsed = tensor.collapse_shape %1 [[0], [1, 2], [3], [4]] : tensor<1x2x2x7x4xf32> into tensor<1x4x7x4xf32>
    %2 = tensor.empty() : tensor<1x4x4x7xf32>
    %transposed = linalg.transpose ins(%collapsed : tensor<1x4x7x4xf32>) outs(%2 : tensor<1x4x4x7xf32>) permutation = [0, 1, 3, 2]
    %collapsed_4 = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x4x2x4xf32> into tensor<4x2x4xf32>
    %collapsed_5 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<1x4x4x7xf32> into tensor<4x4x7xf32>
    %3 = tensor.empty() : tensor<4x2x7xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<4x2x7xf32>) -> tensor<4x2x7xf32>
    %5 = linalg.batch_matmul ins(%collapsed_4, %collapsed_5 : tensor<4x2x4xf32>, tensor<4x4x7xf32>) outs(%4 : tensor<4x2x7xf32>) -> tensor<4x2x7xf32>
    %expanded = tensor.expand_shape %5 [[0, 1], [2], [3]] output_shape [1, 4, 2, 7] : tensor<4x2x7xf32> into tensor<1x4x2x7xf32>
    %6 = tensor.empty() : tensor<1x4x2x7xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x4x2x7xf32>) outs(%6 : tensor<1x4x2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.mulf %in, %cst_3 : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x7xf32>
    %8 = tensor.empty() : tensor<7xi64>
    %9 = linalg.generic {indexing_maps = [#map3], iterator_types = ["parallel"]} outs(%8 : tensor<7xi64>) {
    ^bb0(%out: i64):
      %34 = linalg.index 0 : index
      %35 = arith.index_cast %34 : index to i64
      linalg.yield %35 : i64
    } -> tensor<7xi64>
    %expanded_6 = tensor.expand_shape %9 [[0, 1]] output_shape [1, 7] : tensor<7xi64> into tensor<1x7xi64>
    %10 = tensor.empty() : tensor<2xi64>
    %11 = linalg.generic {indexing_maps = [#map3], iterator_types = ["parallel"]} outs(%10 : tensor<2xi64>) {
    ^bb0(%out: i64):
      %34 = linalg.index 0 : index
      %35 = arith.index_cast %34 : index to i64
      linalg.yield %35 : i64
    } -> tensor<2xi64>
    %expanded_7 = tensor.expand_shape %11 [[0, 1]] output_shape [2, 1] : tensor<2xi64> into tensor<2x1xi64>
    %12 = tensor.empty() : tensor<2x7xi64>
    %13 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel"]} ins(%expanded_6, %expanded_7 : tensor<1x7xi64>, tensor<2x1xi64>) outs(%12 : tensor<2x7xi64>) {
    ^bb0(%in: i64, %in_12: i64, %out: i64):
      %34 = arith.subi %in, %in_12 : i64
      linalg.yield %34 : i64
    } -> tensor<2x7xi64>
    %14 = tensor.empty() : tensor<2x7xi1>
    %15 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%13 : tensor<2x7xi64>) outs(%14 : tensor<2x7xi1>) {
    ^bb0(%in: i64, %out: i1):
      %34 = arith.cmpi sle, %in, %c5_i64 : i64
      linalg.yield %34 : i1
    } -> tensor<2x7xi1>
    %16 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%15, %cst_2 : tensor<2x7xi1>, tensor<2x7xi1>) outs(%14 : tensor<2x7xi1>) {
    ^bb0(%in: i1, %in_12: i1, %out: i1):
      %34 = arith.andi %in, %in_12 : i1
      linalg.yield %34 : i1
    } -> tensor<2x7xi1>
    %17 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<2x7xi1>) outs(%14 : tensor<2x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      %34 = arith.xori %in, %true : i1
      linalg.yield %34 : i1
    } -> tensor<2x7xi1>
    %18 = linalg.generic {indexing_maps = [#map7, #map8, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17, %cst_1, %7 : tensor<2x7xi1>, tensor<f32>, tensor<1x4x2x7xf32>) outs(%6 : tensor<1x4x2x7xf32>) {
    ^bb0(%in: i1, %in_12: f32, %in_13: f32, %out: f32):
      %34 = arith.select %in, %in_12, %in_13 : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x7xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg2 : tensor<1x2x7x4xf32>) outs(%0 : tensor<1x2x2x7x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x2x7x4xf32>
    %20 = tensor.empty() : tensor<1x4x2xi64>
    %21 = linalg.fill ins(%c0_i64 : i64) outs(%20 : tensor<1x4x2xi64>) -> tensor<1x4x2xi64>
    %22 = tensor.empty() : tensor<1x4x2xf32>
    %23 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
    %24:2 = linalg.generic {indexing_maps = [#map2, #map9, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%18 : tensor<1x4x2x7xf32>) outs(%23, %21 : tensor<1x4x2xf32>, tensor<1x4x2xi64>) {
    ^bb0(%in: f32, %out: f32, %out_12: i64):
      %34 = linalg.index 3 : index
      %35 = arith.index_cast %34 : index to i64
      %36 = arith.maximumf %in, %out : f32
      %37 = arith.cmpf ogt, %in, %out : f32
      %38 = arith.select %37, %35, %out_12 : i64
      linalg.yield %36, %38 : f32, i64
    } -> (tensor<1x4x2xf32>, tensor<1x4x2xi64>)
    %expanded_8 = tensor.expand_shape %24#0 [[0], [1], [2, 3]] output_shape [1, 4, 2, 1] : tensor<1x4x2xf32> into tensor<1x4x2x1xf32>
    %25 = linalg.generic {indexing_maps = [#map2, #map10, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18, %expanded_8 : tensor<1x4x2x7xf32>, tensor<1x4x2x1xf32>) outs(%6 : tensor<1x4x2x7xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %34 = arith.subf %in, %in_12 : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x7xf32>
    %26 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25 : tensor<1x4x2x7xf32>) outs(%6 : tensor<1x4x2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x7xf32>
    %27 = tensor.empty() : tensor<1x4x2x1xf32>
    %28 = linalg.fill ins(%cst : f32) outs(%27 : tensor<1x4x2x1xf32>) -> tensor<1x4x2x1xf32>
    %29 = linalg.generic {indexing_maps = [#map2, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%26 : tensor<1x4x2x7xf32>) outs(%28 : tensor<1x4x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %in, %out : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x1xf32>
    %30 = linalg.generic {indexing_maps = [#map2, #map10, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26, %29 : tensor<1x4x2x7xf32>, tensor<1x4x2x1xf32>) outs(%6 : tensor<1x4x2x7xf32>) {
    ^bb0(%in: f32, %in_12: f32, %out: f32):
      %34 = arith.divf %in, %in_12 : f32
      linalg.yield %34 : f32
    } -> tensor<1x4x2x7xf32>
    %collapsed_9 = tensor.collapse_shape %30 [[0, 1], [2], [3]] : tensor<1x4x2x7xf32> into tensor<4x2x7xf32>
    %collapsed_10 = tensor.collapse_shape %19 [[0, 1, 2], [3], [4]] : tensor<1x2x2x7x4xf32> into tensor<4x7x4xf32>
    %31 = tensor.empty() : tensor<4x2x4xf32>
    %32 = linalg.fill ins(%cst : f32) outs(%31 : tensor<4x2x4xf32>) -> tensor<4x2x4xf32>
    %33 = linalg.batch_matmul ins(%collapsed_9, %collapsed_10 : tensor<4x2x7xf32>, tensor<4x7x4xf32>) outs(%32 : tensor<4x2x4xf32>) -> tensor<4x2x4xf32>
    %expanded_11 = tensor.expand_shape %33 [[0, 1], [2], [3]] output_shape [1, 4, 2, 4] : tensor<4x2x4xf32> into tensor<1x4x2x4xf32>
    return %expanded_11 : tensor<1x4x2x4xf32>
  }
}
