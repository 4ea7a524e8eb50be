// A batch of unknown size, causal.
//
// ARGS: normal<3x2x6x4> normal<3x2x6x4> normal<3x2x6x4>
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}} mask causal
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0) -> (d0)>
#map2 = affine_map<(d0, d1) -> (0, d1)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
#map4 = affine_map<(d0, d1) -> (d0, d1)>
#map5 = affine_map<(d0, d1) -> ()>
#map6 = affine_map<()[s0] -> (s0 * 2)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map9 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map10 = affine_map<(d0, d1, d2, d3) -> ()>
module {
  func.func @main(%arg0: tensor<?x2x6x4xf32>, %arg1: tensor<?x2x6x4xf32>, %arg2: tensor<?x2x6x4xf32>) -> tensor<?x2x6x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_3 = arith.constant dense<true> : tensor<6x6xi1>
    %cst_4 = arith.constant 0xFFF0000000000000 : f64
    %cst_5 = arith.constant 0.70710678118654757 : f64
    %dim = tensor.dim %arg0, %c0 : tensor<?x2x6x4xf32>
    %0 = arith.index_cast %dim : index to i64
    %1 = tensor.empty(%dim) : tensor<?x2x6x4xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0 : tensor<?x2x6x4xf32>) outs(%1 : tensor<?x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %53 = arith.truncf %cst_5 : f64 to f32
      %54 = arith.mulf %in, %53 : f32
      linalg.yield %54 : f32
    } -> tensor<?x2x6x4xf32>
    %3 = tensor.empty() : tensor<6xi64>
    %4 = linalg.generic {indexing_maps = [#map1], iterator_types = ["parallel"]} outs(%3 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %53 = linalg.index 0 : index
      %54 = arith.index_cast %53 : index to i64
      linalg.yield %54 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %4 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_6 = tensor.expand_shape %4 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %5 = tensor.empty() : tensor<6x6xi64>
    %6 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel"]} ins(%expanded, %expanded_6 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%5 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_14: i64, %out: i64):
      %53 = arith.subi %in, %in_14 : i64
      linalg.yield %53 : i64
    } -> tensor<6x6xi64>
    %7 = tensor.empty() : tensor<6x6xi1>
    %8 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel"]} ins(%6 : tensor<6x6xi64>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %53 = arith.cmpi sle, %in, %c0_i64 : i64
      linalg.yield %53 : i1
    } -> tensor<6x6xi1>
    %9 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel"]} ins(%8, %cst_3 : tensor<6x6xi1>, tensor<6x6xi1>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_14: i1, %out: i1):
      %53 = arith.andi %in, %in_14 : i1
      linalg.yield %53 : i1
    } -> tensor<6x6xi1>
    %10 = tensor.empty() : tensor<6x6xf32>
    %11 = linalg.generic {indexing_maps = [#map4, #map5, #map5, #map4], iterator_types = ["parallel", "parallel"]} ins(%9, %cst_1, %cst_2 : tensor<6x6xi1>, tensor<f32>, tensor<f32>) outs(%10 : tensor<6x6xf32>) {
    ^bb0(%in: i1, %in_14: f32, %in_15: f32, %out: f32):
      %53 = arith.select %in, %in_14, %in_15 : f32
      linalg.yield %53 : f32
    } -> tensor<6x6xf32>
    %dim_7 = tensor.dim %arg1, %c0 : tensor<?x2x6x4xf32>
    %12 = tensor.empty(%dim_7) : tensor<?x2x4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<?x2x6x4xf32>) outs(%12 : tensor<?x2x4x6xf32>) permutation = [0, 1, 3, 2]
    %13 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed : tensor<?x2x4x6xf32>) outs(%12 : tensor<?x2x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %53 = arith.truncf %cst_5 : f64 to f32
      %54 = arith.mulf %in, %53 : f32
      linalg.yield %54 : f32
    } -> tensor<?x2x4x6xf32>
    %14 = arith.cmpi sge, %0, %c0_i64 : i64
    cf.assert %14, "unimplemented: dynamic negative broadcast sizes"
    %15 = tensor.empty(%dim) : tensor<?x2x6x4xf32>
    %16 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%15 : tensor<?x2x6x4xf32>) {
    ^bb0(%out: f32):
      %53 = linalg.index 0 : index
      %54 = linalg.index 1 : index
      %55 = linalg.index 2 : index
      %56 = linalg.index 3 : index
      %57 = arith.cmpi eq, %dim, %c1 : index
      %58 = arith.select %57, %c0, %53 : index
      %extracted = tensor.extract %2[%58, %54, %55, %56] : tensor<?x2x6x4xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x2x6x4xf32>
    %collapsed = tensor.collapse_shape %16 [[0, 1], [2], [3]] : tensor<?x2x6x4xf32> into tensor<?x6x4xf32>
    cf.assert %14, "unimplemented: dynamic negative broadcast sizes"
    %17 = tensor.empty(%dim) : tensor<?x2x4x6xf32>
    %18 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%17 : tensor<?x2x4x6xf32>) {
    ^bb0(%out: f32):
      %53 = linalg.index 0 : index
      %54 = linalg.index 1 : index
      %55 = linalg.index 2 : index
      %56 = linalg.index 3 : index
      %57 = arith.cmpi eq, %dim_7, %c1 : index
      %58 = arith.select %57, %c0, %53 : index
      %extracted = tensor.extract %13[%58, %54, %55, %56] : tensor<?x2x4x6xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x2x4x6xf32>
    %collapsed_8 = tensor.collapse_shape %18 [[0, 1], [2], [3]] : tensor<?x2x4x6xf32> into tensor<?x4x6xf32>
    %19 = affine.apply #map6()[%dim]
    %20 = tensor.empty(%19) : tensor<?x6x6xf32>
    %21 = linalg.fill ins(%cst : f32) outs(%20 : tensor<?x6x6xf32>) -> tensor<?x6x6xf32>
    %22 = linalg.batch_matmul ins(%collapsed, %collapsed_8 : tensor<?x6x4xf32>, tensor<?x4x6xf32>) outs(%21 : tensor<?x6x6xf32>) -> tensor<?x6x6xf32>
    %23 = arith.divsi %19, %c2 : index
    %expanded_9 = tensor.expand_shape %22 [[0, 1], [2], [3]] output_shape [%23, 2, 6, 6] : tensor<?x6x6xf32> into tensor<?x2x6x6xf32>
    %24 = tensor.empty(%23) : tensor<?x2x6x6xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map7, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_9, %11 : tensor<?x2x6x6xf32>, tensor<6x6xf32>) outs(%24 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %53 = arith.addf %in, %in_14 : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x6xf32>
    %26 = tensor.empty(%23) : tensor<?x2x6xi64>
    %27 = linalg.fill ins(%c0_i64 : i64) outs(%26 : tensor<?x2x6xi64>) -> tensor<?x2x6xi64>
    %28 = tensor.empty(%23) : tensor<?x2x6xf32>
    %29 = linalg.fill ins(%cst_0 : f32) outs(%28 : tensor<?x2x6xf32>) -> tensor<?x2x6xf32>
    %30:2 = linalg.generic {indexing_maps = [#map, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%25 : tensor<?x2x6x6xf32>) outs(%29, %27 : tensor<?x2x6xf32>, tensor<?x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_14: i64):
      %53 = linalg.index 3 : index
      %54 = arith.index_cast %53 : index to i64
      %55 = arith.maximumf %in, %out : f32
      %56 = arith.cmpf ogt, %in, %out : f32
      %57 = arith.select %56, %54, %out_14 : i64
      linalg.yield %55, %57 : f32, i64
    } -> (tensor<?x2x6xf32>, tensor<?x2x6xi64>)
    %expanded_10 = tensor.expand_shape %30#0 [[0], [1], [2, 3]] output_shape [%23, 2, 6, 1] : tensor<?x2x6xf32> into tensor<?x2x6x1xf32>
    %31 = linalg.generic {indexing_maps = [#map, #map9, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25, %expanded_10 : tensor<?x2x6x6xf32>, tensor<?x2x6x1xf32>) outs(%24 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %53 = arith.subf %in, %in_14 : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x6xf32>
    %32 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%31 : tensor<?x2x6x6xf32>) outs(%24 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %53 = math.exp %in : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x6xf32>
    %33 = tensor.empty(%23) : tensor<?x2x6x1xf32>
    %34 = linalg.fill ins(%cst : f32) outs(%33 : tensor<?x2x6x1xf32>) -> tensor<?x2x6x1xf32>
    %35 = linalg.generic {indexing_maps = [#map, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%32 : tensor<?x2x6x6xf32>) outs(%34 : tensor<?x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %53 = arith.addf %in, %out : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x1xf32>
    %36 = linalg.generic {indexing_maps = [#map, #map9, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%32, %35 : tensor<?x2x6x6xf32>, tensor<?x2x6x1xf32>) outs(%24 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: f32, %in_14: f32, %out: f32):
      %53 = arith.divf %in, %in_14 : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x6xf32>
    %37 = tensor.empty(%23) : tensor<?x2x6x6xi1>
    %38 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25 : tensor<?x2x6x6xf32>) outs(%37 : tensor<?x2x6x6xi1>) {
    ^bb0(%in: f32, %out: i1):
      %53 = arith.extf %in : f32 to f64
      %54 = arith.cmpf oeq, %53, %cst_4 : f64
      linalg.yield %54 : i1
    } -> tensor<?x2x6x6xi1>
    %39 = tensor.empty(%23) : tensor<?x2x6x1xi1>
    %40 = linalg.fill ins(%true : i1) outs(%39 : tensor<?x2x6x1xi1>) -> tensor<?x2x6x1xi1>
    %41 = linalg.generic {indexing_maps = [#map, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%38 : tensor<?x2x6x6xi1>) outs(%40 : tensor<?x2x6x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %53 = arith.andi %in, %out : i1
      linalg.yield %53 : i1
    } -> tensor<?x2x6x1xi1>
    %42 = arith.index_cast %23 : index to i64
    %43 = arith.cmpi sge, %42, %c0_i64 : i64
    cf.assert %43, "negative values not allowed in new dimensions"
    %44 = tensor.empty(%23) : tensor<?x2x6x6xf32>
    %45 = linalg.generic {indexing_maps = [#map10, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%44 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<?x2x6x6xf32>
    cf.assert %true, "mismatched size for broadcast"
    %46 = linalg.generic {indexing_maps = [#map9, #map, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%41, %45, %36 : tensor<?x2x6x1xi1>, tensor<?x2x6x6xf32>, tensor<?x2x6x6xf32>) outs(%24 : tensor<?x2x6x6xf32>) {
    ^bb0(%in: i1, %in_14: f32, %in_15: f32, %out: f32):
      %53 = arith.select %in, %in_14, %in_15 : f32
      linalg.yield %53 : f32
    } -> tensor<?x2x6x6xf32>
    cf.assert %14, "unimplemented: dynamic negative broadcast sizes"
    %47 = tensor.empty(%dim) : tensor<?x2x6x6xf32>
    %48 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%47 : tensor<?x2x6x6xf32>) {
    ^bb0(%out: f32):
      %53 = linalg.index 0 : index
      %54 = linalg.index 1 : index
      %55 = linalg.index 2 : index
      %56 = linalg.index 3 : index
      %57 = arith.cmpi eq, %23, %c1 : index
      %58 = arith.select %57, %c0, %53 : index
      %extracted = tensor.extract %46[%58, %54, %55, %56] : tensor<?x2x6x6xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x2x6x6xf32>
    %collapsed_11 = tensor.collapse_shape %48 [[0, 1], [2], [3]] : tensor<?x2x6x6xf32> into tensor<?x6x6xf32>
    cf.assert %14, "unimplemented: dynamic negative broadcast sizes"
    %49 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%15 : tensor<?x2x6x4xf32>) {
    ^bb0(%out: f32):
      %53 = linalg.index 0 : index
      %54 = linalg.index 1 : index
      %55 = linalg.index 2 : index
      %56 = linalg.index 3 : index
      %dim_14 = tensor.dim %arg2, %c0 : tensor<?x2x6x4xf32>
      %57 = arith.cmpi eq, %dim_14, %c1 : index
      %58 = arith.select %57, %c0, %53 : index
      %extracted = tensor.extract %arg2[%58, %54, %55, %56] : tensor<?x2x6x4xf32>
      linalg.yield %extracted : f32
    } -> tensor<?x2x6x4xf32>
    %collapsed_12 = tensor.collapse_shape %49 [[0, 1], [2], [3]] : tensor<?x2x6x4xf32> into tensor<?x6x4xf32>
    %50 = tensor.empty(%19) : tensor<?x6x4xf32>
    %51 = linalg.fill ins(%cst : f32) outs(%50 : tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
    %52 = linalg.batch_matmul ins(%collapsed_11, %collapsed_12 : tensor<?x6x6xf32>, tensor<?x6x4xf32>) outs(%51 : tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
    %expanded_13 = tensor.expand_shape %52 [[0, 1], [2], [3]] output_shape [%23, 2, 6, 4] : tensor<?x6x4xf32> into tensor<?x2x6x4xf32>
    return %expanded_13 : tensor<?x2x6x4xf32>
  }
}
