// T5's encoder: relative bias, no scale.
//
// ARGS: ids<16> small small small small small small small small small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}bias({{.*}}scale {{(0\.9999[0-9]*|1\.0000[0-9]*|1\.000000e\+00)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map2 = affine_map<(d0) -> (d0)>
#map3 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map6 = affine_map<(d0, d1, d2) -> (d2)>
#map7 = affine_map<(d0, d1) -> (0, d1)>
#map8 = affine_map<(d0, d1) -> (d0, 0)>
#map9 = affine_map<(d0, d1) -> (d0, d1)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map11 = affine_map<(d0, d1, d2, d3) -> ()>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x6xi64>, %arg1: tensor<16x8xf32>, %arg2: tensor<8x8xf32>, %arg3: tensor<8x8xf32>, %arg4: tensor<8x8xf32>, %arg5: tensor<8x8xf32>, %arg6: tensor<8x2xf32>, %arg7: tensor<8xf32>, %arg8: tensor<8x8xf32>, %arg9: tensor<8x8xf32>, %arg10: tensor<8xf32>, %arg11: tensor<8xf32>) -> tensor<1x6x8xf32> {
    %c4_i64 = arith.constant 4 : i64
    %c2_i64 = arith.constant 2 : i64
    %c0_i64 = arith.constant 0 : i64
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<1x2x6x6xf32>
    %cst_2 = arith.constant dense<-3.40282347E+38> : tensor<f32>
    %cst_3 = arith.constant 0xFFF0000000000000 : f64
    %cst_4 = arith.constant 4.1588830833596715 : f64
    %cst_5 = arith.constant 9.9999999999999995E-7 : f64
    %cst_6 = arith.constant 8.000000e+00 : f32
    %cst_7 = arith.constant 2.000000e+00 : f32
    %cst_8 = arith.constant dense<3> : tensor<6x6xi64>
    %0 = tensor.empty() : tensor<1x6x8xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x6xi64>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: i64, %out: f32):
      %93 = arith.index_cast %in : i64 to index
      %94 = linalg.index 2 : index
      %95 = arith.cmpi slt, %93, %c16 : index
      cf.assert %95, "index must be smaller than dim size"
      %96 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %96, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg1[%93, %94] : tensor<16x8xf32>
      linalg.yield %extracted : f32
    } -> tensor<1x6x8xf32>
    %2 = tensor.empty() : tensor<6xi64>
    %3 = linalg.generic {indexing_maps = [#map2], iterator_types = ["parallel"]} outs(%2 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %93 = linalg.index 0 : index
      %94 = arith.index_cast %93 : index to i64
      linalg.yield %94 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %3 [[0, 1, 2, 3]] output_shape [1, 1, 6, 1] : tensor<6xi64> into tensor<1x1x6x1xi64>
    %4 = tensor.empty() : tensor<1x1x6x1xi1>
    %5 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x1x6x1xi64>) outs(%4 : tensor<1x1x6x1xi1>) {
    ^bb0(%in: i64, %out: i1):
      %93 = arith.cmpi sge, %in, %c0_i64 : i64
      linalg.yield %93 : i1
    } -> tensor<1x1x6x1xi1>
    %6 = tensor.empty() : tensor<1x1x6x6xi1>
    %collapsed = tensor.collapse_shape %5 [[0], [1], [2, 3]] : tensor<1x1x6x1xi1> into tensor<1x1x6xi1>
    %7 = linalg.generic {indexing_maps = [#map4, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed : tensor<1x1x6xi1>) outs(%6 : tensor<1x1x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x1x6x6xi1>
    %8 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1 : tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.fpowi %in, %c2_i64 : f32, i64
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %9 = tensor.empty() : tensor<1x6x1xf32>
    %10 = linalg.fill ins(%cst : f32) outs(%9 : tensor<1x6x1xf32>) -> tensor<1x6x1xf32>
    %11 = linalg.generic {indexing_maps = [#map1, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%8 : tensor<1x6x8xf32>) outs(%10 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.addf %in, %out : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %12 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.divf %in, %cst_6 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %13 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%12 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.truncf %cst_5 : f64 to f32
      %94 = arith.addf %in, %93 : f32
      linalg.yield %94 : f32
    } -> tensor<1x6x1xf32>
    %14 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.rsqrt %in : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %15 = linalg.generic {indexing_maps = [#map1, #map5, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1, %14 : tensor<1x6x8xf32>, tensor<1x6x1xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %16 = linalg.generic {indexing_maps = [#map6, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg7, %15 : tensor<8xf32>, tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %17 = tensor.empty() : tensor<8x8xf32>
    %transposed = linalg.transpose ins(%arg2 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %collapsed_9 = tensor.collapse_shape %16 [[0, 1], [2]] : tensor<1x6x8xf32> into tensor<6x8xf32>
    %18 = tensor.empty() : tensor<6x8xf32>
    %19 = linalg.fill ins(%cst : f32) outs(%18 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %20 = linalg.matmul ins(%collapsed_9, %transposed : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_10 = tensor.expand_shape %20 [[0, 1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<6x8xf32> into tensor<1x6x2x4xf32>
    %21 = tensor.empty() : tensor<1x2x6x4xf32>
    %transposed_11 = linalg.transpose ins(%expanded_10 : tensor<1x6x2x4xf32>) outs(%21 : tensor<1x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %transposed_12 = linalg.transpose ins(%arg3 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %22 = linalg.matmul ins(%collapsed_9, %transposed_12 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_13 = tensor.expand_shape %22 [[0, 1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<6x8xf32> into tensor<1x6x2x4xf32>
    %transposed_14 = linalg.transpose ins(%arg4 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %23 = linalg.matmul ins(%collapsed_9, %transposed_14 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_15 = tensor.expand_shape %23 [[0, 1], [2, 3]] output_shape [1, 6, 2, 4] : tensor<6x8xf32> into tensor<1x6x2x4xf32>
    %transposed_16 = linalg.transpose ins(%expanded_15 : tensor<1x6x2x4xf32>) outs(%21 : tensor<1x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %expanded_17 = tensor.expand_shape %3 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %expanded_18 = tensor.expand_shape %3 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %24 = tensor.empty() : tensor<6x6xi64>
    %25 = linalg.generic {indexing_maps = [#map7, #map8, #map9], iterator_types = ["parallel", "parallel"]} ins(%expanded_18, %expanded_17 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_39: i64, %out: i64):
      %93 = arith.subi %in, %in_39 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %26 = tensor.empty() : tensor<6x6xi1>
    %27 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%25 : tensor<6x6xi64>) outs(%26 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %93 = arith.cmpi sgt, %in, %c0_i64 : i64
      linalg.yield %93 : i1
    } -> tensor<6x6xi1>
    %28 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%27 : tensor<6x6xi1>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i1, %out: i64):
      %93 = arith.extui %in : i1 to i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %29 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%28 : tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %out: i64):
      %93 = arith.muli %in, %c4_i64 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %30 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%25 : tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %out: i64):
      %93 = math.absi %in : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %31 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%30 : tensor<6x6xi64>) outs(%26 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %93 = arith.cmpi slt, %in, %c2_i64 : i64
      linalg.yield %93 : i1
    } -> tensor<6x6xi1>
    %32 = tensor.empty() : tensor<6x6xf32>
    %33 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%30 : tensor<6x6xi64>) outs(%32 : tensor<6x6xf32>) {
    ^bb0(%in: i64, %out: f32):
      %93 = arith.sitofp %in : i64 to f32
      linalg.yield %93 : f32
    } -> tensor<6x6xf32>
    %34 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%33 : tensor<6x6xf32>) outs(%32 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.divf %in, %cst_7 : f32
      linalg.yield %93 : f32
    } -> tensor<6x6xf32>
    %35 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%34 : tensor<6x6xf32>) outs(%32 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.log %in : f32
      linalg.yield %93 : f32
    } -> tensor<6x6xf32>
    %36 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%35 : tensor<6x6xf32>) outs(%32 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.truncf %cst_4 : f64 to f32
      %94 = arith.divf %in, %93 : f32
      linalg.yield %94 : f32
    } -> tensor<6x6xf32>
    %37 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%36 : tensor<6x6xf32>) outs(%32 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.mulf %in, %cst_7 : f32
      linalg.yield %93 : f32
    } -> tensor<6x6xf32>
    %38 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%37 : tensor<6x6xf32>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: f32, %out: i64):
      %93 = arith.fptosi %in : f32 to i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %39 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%38 : tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %out: i64):
      %93 = arith.addi %in, %c2_i64 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %40 = linalg.generic {indexing_maps = [#map9, #map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%39, %cst_8 : tensor<6x6xi64>, tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_39: i64, %out: i64):
      %93 = arith.minsi %in, %in_39 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %41 = linalg.generic {indexing_maps = [#map9, #map9, #map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%31, %30, %40 : tensor<6x6xi1>, tensor<6x6xi64>, tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i1, %in_39: i64, %in_40: i64, %out: i64):
      %93 = arith.select %in, %in_39, %in_40 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %42 = linalg.generic {indexing_maps = [#map9, #map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%29, %41 : tensor<6x6xi64>, tensor<6x6xi64>) outs(%24 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_39: i64, %out: i64):
      %93 = arith.addi %in, %in_39 : i64
      linalg.yield %93 : i64
    } -> tensor<6x6xi64>
    %43 = tensor.empty() : tensor<6x6x2xf32>
    %44 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%42 : tensor<6x6xi64>) outs(%43 : tensor<6x6x2xf32>) {
    ^bb0(%in: i64, %out: f32):
      %93 = arith.index_cast %in : i64 to index
      %94 = linalg.index 2 : index
      %95 = arith.cmpi slt, %93, %c8 : index
      cf.assert %95, "index must be smaller than dim size"
      %96 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %96, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg6[%93, %94] : tensor<8x2xf32>
      linalg.yield %extracted : f32
    } -> tensor<6x6x2xf32>
    %45 = tensor.empty() : tensor<2x6x6xf32>
    %transposed_19 = linalg.transpose ins(%44 : tensor<6x6x2xf32>) outs(%45 : tensor<2x6x6xf32>) permutation = [2, 0, 1]
    %expanded_20 = tensor.expand_shape %transposed_19 [[0, 1], [2], [3]] output_shape [1, 2, 6, 6] : tensor<2x6x6xf32> into tensor<1x2x6x6xf32>
    %46 = tensor.empty() : tensor<1x2x6x6xf32>
    %47 = linalg.generic {indexing_maps = [#map10, #map3, #map11, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%7, %expanded_20, %cst_2 : tensor<1x1x6x6xi1>, tensor<1x2x6x6xf32>, tensor<f32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: i1, %in_39: f32, %in_40: f32, %out: f32):
      %93 = arith.select %in, %in_39, %in_40 : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %48 = tensor.empty() : tensor<1x2x4x6xf32>
    %transposed_21 = linalg.transpose ins(%expanded_13 : tensor<1x6x2x4xf32>) outs(%48 : tensor<1x2x4x6xf32>) permutation = [0, 2, 3, 1]
    %collapsed_22 = tensor.collapse_shape %transposed_11 [[0, 1], [2], [3]] : tensor<1x2x6x4xf32> into tensor<2x6x4xf32>
    %collapsed_23 = tensor.collapse_shape %transposed_21 [[0, 1], [2], [3]] : tensor<1x2x4x6xf32> into tensor<2x4x6xf32>
    %49 = linalg.fill ins(%cst : f32) outs(%45 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %50 = linalg.batch_matmul ins(%collapsed_22, %collapsed_23 : tensor<2x6x4xf32>, tensor<2x4x6xf32>) outs(%49 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
    %expanded_24 = tensor.expand_shape %50 [[0, 1], [2], [3]] output_shape [1, 2, 6, 6] : tensor<2x6x6xf32> into tensor<1x2x6x6xf32>
    %51 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_24, %47 : tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.addf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %52 = tensor.empty() : tensor<1x2x6xi64>
    %53 = linalg.fill ins(%c0_i64 : i64) outs(%52 : tensor<1x2x6xi64>) -> tensor<1x2x6xi64>
    %54 = tensor.empty() : tensor<1x2x6xf32>
    %55 = linalg.fill ins(%cst_0 : f32) outs(%54 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %56:2 = linalg.generic {indexing_maps = [#map3, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%51 : tensor<1x2x6x6xf32>) outs(%55, %53 : tensor<1x2x6xf32>, tensor<1x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_39: i64):
      %93 = linalg.index 3 : index
      %94 = arith.index_cast %93 : index to i64
      %95 = arith.maximumf %in, %out : f32
      %96 = arith.cmpf ogt, %in, %out : f32
      %97 = arith.select %96, %94, %out_39 : i64
      linalg.yield %95, %97 : f32, i64
    } -> (tensor<1x2x6xf32>, tensor<1x2x6xi64>)
    %expanded_25 = tensor.expand_shape %56#0 [[0], [1], [2, 3]] output_shape [1, 2, 6, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1xf32>
    %57 = linalg.generic {indexing_maps = [#map3, #map12, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%51, %expanded_25 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.subf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %58 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%57 : tensor<1x2x6x6xf32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.exp %in : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %59 = tensor.empty() : tensor<1x2x6x1xf32>
    %60 = linalg.fill ins(%cst : f32) outs(%59 : tensor<1x2x6x1xf32>) -> tensor<1x2x6x1xf32>
    %61 = linalg.generic {indexing_maps = [#map3, #map12], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%58 : tensor<1x2x6x6xf32>) outs(%60 : tensor<1x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.addf %in, %out : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x1xf32>
    %62 = linalg.generic {indexing_maps = [#map3, #map12, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%58, %61 : tensor<1x2x6x6xf32>, tensor<1x2x6x1xf32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.divf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %63 = tensor.empty() : tensor<1x2x6x6xi1>
    %64 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%51 : tensor<1x2x6x6xf32>) outs(%63 : tensor<1x2x6x6xi1>) {
    ^bb0(%in: f32, %out: i1):
      %93 = arith.extf %in : f32 to f64
      %94 = arith.cmpf oeq, %93, %cst_3 : f64
      linalg.yield %94 : i1
    } -> tensor<1x2x6x6xi1>
    %65 = tensor.empty() : tensor<1x2x6x1xi1>
    %66 = linalg.fill ins(%true : i1) outs(%65 : tensor<1x2x6x1xi1>) -> tensor<1x2x6x1xi1>
    %67 = linalg.generic {indexing_maps = [#map3, #map12], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%64 : tensor<1x2x6x6xi1>) outs(%66 : tensor<1x2x6x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %93 = arith.andi %in, %out : i1
      linalg.yield %93 : i1
    } -> tensor<1x2x6x1xi1>
    %68 = linalg.generic {indexing_maps = [#map12, #map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%67, %cst_1, %62 : tensor<1x2x6x1xi1>, tensor<1x2x6x6xf32>, tensor<1x2x6x6xf32>) outs(%46 : tensor<1x2x6x6xf32>) {
    ^bb0(%in: i1, %in_39: f32, %in_40: f32, %out: f32):
      %93 = arith.select %in, %in_39, %in_40 : f32
      linalg.yield %93 : f32
    } -> tensor<1x2x6x6xf32>
    %collapsed_26 = tensor.collapse_shape %68 [[0, 1], [2], [3]] : tensor<1x2x6x6xf32> into tensor<2x6x6xf32>
    %collapsed_27 = tensor.collapse_shape %transposed_16 [[0, 1], [2], [3]] : tensor<1x2x6x4xf32> into tensor<2x6x4xf32>
    %69 = tensor.empty() : tensor<2x6x4xf32>
    %70 = linalg.fill ins(%cst : f32) outs(%69 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %71 = linalg.batch_matmul ins(%collapsed_26, %collapsed_27 : tensor<2x6x6xf32>, tensor<2x6x4xf32>) outs(%70 : tensor<2x6x4xf32>) -> tensor<2x6x4xf32>
    %expanded_28 = tensor.expand_shape %71 [[0, 1], [2], [3]] output_shape [1, 2, 6, 4] : tensor<2x6x4xf32> into tensor<1x2x6x4xf32>
    %72 = tensor.empty() : tensor<1x6x2x4xf32>
    %transposed_29 = linalg.transpose ins(%expanded_28 : tensor<1x2x6x4xf32>) outs(%72 : tensor<1x6x2x4xf32>) permutation = [0, 2, 1, 3]
    %transposed_30 = linalg.transpose ins(%arg5 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %collapsed_31 = tensor.collapse_shape %transposed_29 [[0, 1], [2, 3]] : tensor<1x6x2x4xf32> into tensor<6x8xf32>
    %73 = linalg.matmul ins(%collapsed_31, %transposed_30 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_32 = tensor.expand_shape %73 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %74 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%1, %expanded_32 : tensor<1x6x8xf32>, tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.addf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %75 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%74 : tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.fpowi %in, %c2_i64 : f32, i64
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %76 = linalg.generic {indexing_maps = [#map1, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%75 : tensor<1x6x8xf32>) outs(%10 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.addf %in, %out : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %77 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%76 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.divf %in, %cst_6 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %78 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%77 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.truncf %cst_5 : f64 to f32
      %94 = arith.addf %in, %93 : f32
      linalg.yield %94 : f32
    } -> tensor<1x6x1xf32>
    %79 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%78 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.rsqrt %in : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %80 = linalg.generic {indexing_maps = [#map1, #map5, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%74, %79 : tensor<1x6x8xf32>, tensor<1x6x1xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %81 = linalg.generic {indexing_maps = [#map6, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg10, %80 : tensor<8xf32>, tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %transposed_33 = linalg.transpose ins(%arg8 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %collapsed_34 = tensor.collapse_shape %81 [[0, 1], [2]] : tensor<1x6x8xf32> into tensor<6x8xf32>
    %82 = linalg.matmul ins(%collapsed_34, %transposed_33 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_35 = tensor.expand_shape %82 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %83 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_35 : tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.cmpf ugt, %in, %cst : f32
      %94 = arith.select %93, %in, %cst : f32
      linalg.yield %94 : f32
    } -> tensor<1x6x8xf32>
    %transposed_36 = linalg.transpose ins(%arg9 : tensor<8x8xf32>) outs(%17 : tensor<8x8xf32>) permutation = [1, 0]
    %collapsed_37 = tensor.collapse_shape %83 [[0, 1], [2]] : tensor<1x6x8xf32> into tensor<6x8xf32>
    %84 = linalg.matmul ins(%collapsed_37, %transposed_36 : tensor<6x8xf32>, tensor<8x8xf32>) outs(%19 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %expanded_38 = tensor.expand_shape %84 [[0, 1], [2]] output_shape [1, 6, 8] : tensor<6x8xf32> into tensor<1x6x8xf32>
    %85 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%74, %expanded_38 : tensor<1x6x8xf32>, tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.addf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %86 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%85 : tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.fpowi %in, %c2_i64 : f32, i64
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %87 = linalg.generic {indexing_maps = [#map1, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%86 : tensor<1x6x8xf32>) outs(%10 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.addf %in, %out : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %88 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%87 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.divf %in, %cst_6 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %89 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%88 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = arith.truncf %cst_5 : f64 to f32
      %94 = arith.addf %in, %93 : f32
      linalg.yield %94 : f32
    } -> tensor<1x6x1xf32>
    %90 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%89 : tensor<1x6x1xf32>) outs(%9 : tensor<1x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %93 = math.rsqrt %in : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x1xf32>
    %91 = linalg.generic {indexing_maps = [#map1, #map5, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%85, %90 : tensor<1x6x8xf32>, tensor<1x6x1xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    %92 = linalg.generic {indexing_maps = [#map6, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg11, %91 : tensor<8xf32>, tensor<1x6x8xf32>) outs(%0 : tensor<1x6x8xf32>) {
    ^bb0(%in: f32, %in_39: f32, %out: f32):
      %93 = arith.mulf %in, %in_39 : f32
      linalg.yield %93 : f32
    } -> tensor<1x6x8xf32>
    return %92 : tensor<1x6x8xf32>
  }
}
