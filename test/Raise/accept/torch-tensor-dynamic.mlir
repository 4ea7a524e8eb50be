// Lengths that are not known.
//
// ARGS: normal<5x4> normal<6x4> normal<7x4> normal<6x3> normal<7x3>
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (0, 0, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map8 = affine_map<(d0, d1, d2) -> (d0, d2)>
#map9 = affine_map<(d0, d1, d2) -> (d0, 0, 0)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map11 = affine_map<(d0, d1, d2, d3) -> (0, d1, 0, d3)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d3)>
module {
  func.func @main(%arg0: tensor<?x4xf32>, %arg1: tensor<?x4xf32>, %arg2: tensor<?x4xf32>, %arg3: tensor<?x3xf32>, %arg4: tensor<?x3xf32>) -> tensor<?x3xf32> {
    %c0 = arith.constant 0 : index
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %dim = tensor.dim %arg0, %c0 : tensor<?x4xf32>
    %expanded = tensor.expand_shape %arg0 [[0], [1, 2, 3]] output_shape [%dim, 1, 1, 4] : tensor<?x4xf32> into tensor<?x1x1x4xf32>
    %dim_2 = tensor.dim %arg1, %c0 : tensor<?x4xf32>
    %expanded_3 = tensor.expand_shape %arg1 [[0, 1], [2, 3]] output_shape [1, %dim_2, 1, 4] : tensor<?x4xf32> into tensor<1x?x1x4xf32>
    %0 = tensor.empty(%dim, %dim_2) : tensor<?x?x1x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_3 : tensor<?x1x1x4xf32>, tensor<1x?x1x4xf32>) outs(%0 : tensor<?x?x1x4xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.mulf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x1x4xf32>
    %dim_4 = tensor.dim %arg2, %c0 : tensor<?x4xf32>
    %expanded_5 = tensor.expand_shape %arg2 [[0, 1, 2], [3]] output_shape [1, 1, %dim_4, 4] : tensor<?x4xf32> into tensor<1x1x?x4xf32>
    %2 = tensor.empty(%dim, %dim_2, %dim_4) : tensor<?x?x?x4xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1, %expanded_5 : tensor<?x?x1x4xf32>, tensor<1x1x?x4xf32>) outs(%2 : tensor<?x?x?x4xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.mulf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?x4xf32>
    %4 = tensor.empty(%dim, %dim_2, %dim_4) : tensor<?x?x?xf32>
    %5 = linalg.fill ins(%cst : f32) outs(%4 : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%3 : tensor<?x?x?x4xf32>) outs(%5 : tensor<?x?x?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.addf %in, %out : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?xf32>
    %7 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6 : tensor<?x?x?xf32>) outs(%4 : tensor<?x?x?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.mulf %in, %cst_1 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?xf32>
    %8 = tensor.empty(%dim, %dim_2) : tensor<?x?xi64>
    %9 = linalg.fill ins(%c0_i64 : i64) outs(%8 : tensor<?x?xi64>) -> tensor<?x?xi64>
    %10 = tensor.empty(%dim, %dim_2) : tensor<?x?xf32>
    %11 = linalg.fill ins(%cst_0 : f32) outs(%10 : tensor<?x?xf32>) -> tensor<?x?xf32>
    %12:2 = linalg.generic {indexing_maps = [#map6, #map7, #map7], iterator_types = ["parallel", "parallel", "reduction"]} ins(%7 : tensor<?x?x?xf32>) outs(%11, %9 : tensor<?x?xf32>, tensor<?x?xi64>) {
    ^bb0(%in: f32, %out: f32, %out_13: i64):
      %32 = linalg.index 2 : index
      %33 = arith.index_cast %32 : index to i64
      %34 = arith.maximumf %in, %out : f32
      %35 = arith.cmpf ogt, %in, %out : f32
      %36 = arith.select %35, %33, %out_13 : i64
      linalg.yield %34, %36 : f32, i64
    } -> (tensor<?x?xf32>, tensor<?x?xi64>)
    %expanded_6 = tensor.expand_shape %12#0 [[0], [1, 2]] output_shape [%dim, %dim_2, 1] : tensor<?x?xf32> into tensor<?x?x1xf32>
    %13 = tensor.empty(%dim) : tensor<?x1xi64>
    %14 = linalg.fill ins(%c0_i64 : i64) outs(%13 : tensor<?x1xi64>) -> tensor<?x1xi64>
    %15 = tensor.empty(%dim) : tensor<?x1xf32>
    %16 = linalg.fill ins(%cst_0 : f32) outs(%15 : tensor<?x1xf32>) -> tensor<?x1xf32>
    %17:2 = linalg.generic {indexing_maps = [#map6, #map8, #map8], iterator_types = ["parallel", "reduction", "parallel"]} ins(%expanded_6 : tensor<?x?x1xf32>) outs(%16, %14 : tensor<?x1xf32>, tensor<?x1xi64>) {
    ^bb0(%in: f32, %out: f32, %out_13: i64):
      %32 = linalg.index 1 : index
      %33 = arith.index_cast %32 : index to i64
      %34 = arith.maximumf %in, %out : f32
      %35 = arith.cmpf ogt, %in, %out : f32
      %36 = arith.select %35, %33, %out_13 : i64
      linalg.yield %34, %36 : f32, i64
    } -> (tensor<?x1xf32>, tensor<?x1xi64>)
    %expanded_7 = tensor.expand_shape %17#0 [[0, 1], [2]] output_shape [%dim, 1, 1] : tensor<?x1xf32> into tensor<?x1x1xf32>
    %18 = linalg.generic {indexing_maps = [#map6, #map9, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7, %expanded_7 : tensor<?x?x?xf32>, tensor<?x1x1xf32>) outs(%4 : tensor<?x?x?xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.subf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?xf32>
    %19 = linalg.generic {indexing_maps = [#map6, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18 : tensor<?x?x?xf32>) outs(%4 : tensor<?x?x?xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = math.exp %in : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?xf32>
    %20 = tensor.empty(%dim) : tensor<?x1x1xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<?x1x1xf32>) -> tensor<?x1x1xf32>
    %22 = linalg.generic {indexing_maps = [#map6, #map9], iterator_types = ["parallel", "reduction", "reduction"]} ins(%19 : tensor<?x?x?xf32>) outs(%21 : tensor<?x1x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.addf %in, %out : f32
      linalg.yield %32 : f32
    } -> tensor<?x1x1xf32>
    %23 = linalg.generic {indexing_maps = [#map6, #map9, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19, %22 : tensor<?x?x?xf32>, tensor<?x1x1xf32>) outs(%4 : tensor<?x?x?xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.divf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?xf32>
    %expanded_8 = tensor.expand_shape %23 [[0], [1], [2, 3]] output_shape [%dim, %dim_2, %dim_4, 1] : tensor<?x?x?xf32> into tensor<?x?x?x1xf32>
    %dim_9 = tensor.dim %arg3, %c0 : tensor<?x3xf32>
    %expanded_10 = tensor.expand_shape %arg3 [[0, 1], [2, 3]] output_shape [1, %dim_9, 1, 3] : tensor<?x3xf32> into tensor<1x?x1x3xf32>
    %24 = arith.cmpi eq, %dim_2, %dim_9 : index
    cf.assert %24, "mismatched size for broadcast"
    %25 = tensor.empty(%dim, %dim_2, %dim_4) : tensor<?x?x?x3xf32>
    %26 = linalg.generic {indexing_maps = [#map10, #map11, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_8, %expanded_10 : tensor<?x?x?x1xf32>, tensor<1x?x1x3xf32>) outs(%25 : tensor<?x?x?x3xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.mulf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?x3xf32>
    %dim_11 = tensor.dim %arg4, %c0 : tensor<?x3xf32>
    %expanded_12 = tensor.expand_shape %arg4 [[0, 1, 2], [3]] output_shape [1, 1, %dim_11, 3] : tensor<?x3xf32> into tensor<1x1x?x3xf32>
    %27 = arith.cmpi eq, %dim_4, %dim_11 : index
    cf.assert %27, "mismatched size for broadcast"
    %28 = linalg.generic {indexing_maps = [#map2, #map4, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26, %expanded_12 : tensor<?x?x?x3xf32>, tensor<1x1x?x3xf32>) outs(%25 : tensor<?x?x?x3xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %32 = arith.mulf %in, %in_13 : f32
      linalg.yield %32 : f32
    } -> tensor<?x?x?x3xf32>
    %29 = tensor.empty(%dim) : tensor<?x3xf32>
    %30 = linalg.fill ins(%cst : f32) outs(%29 : tensor<?x3xf32>) -> tensor<?x3xf32>
    %31 = linalg.generic {indexing_maps = [#map2, #map12], iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%28 : tensor<?x?x?x3xf32>) outs(%30 : tensor<?x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %32 = arith.addf %in, %out : f32
      linalg.yield %32 : f32
    } -> tensor<?x3xf32>
    return %31 : tensor<?x3xf32>
  }
}
