// BERT, SDPA, with a padding mask.
//
// ARGS: ids<16> keep small small small small small small small small small small small small small small small small small small small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map6 = affine_map<(d0, d1, d2) -> (d2)>
#map7 = affine_map<(d0) -> (d0)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map9 = affine_map<(d0, d1, d2, d3) -> ()>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, 0)>
#map11 = affine_map<(d0, d1, d2, d3) -> (0, 0, 0, d3)>
#map12 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, 0)>
#map13 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map14 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map15 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map16 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map17 = affine_map<(d0, d1, d2) -> (d1, d2)>
module {
  func.func @main(%arg0: tensor<2x6xi64>, %arg1: tensor<2x6xi64>, %arg2: tensor<16x8xf32>, %arg3: tensor<16x8xf32>, %arg4: tensor<2x8xf32>, %arg5: tensor<8xf32>, %arg6: tensor<8xf32>, %arg7: tensor<8x8xf32>, %arg8: tensor<8xf32>, %arg9: tensor<8x8xf32>, %arg10: tensor<8xf32>, %arg11: tensor<8x8xf32>, %arg12: tensor<8xf32>, %arg13: tensor<8x8xf32>, %arg14: tensor<8xf32>, %arg15: tensor<8xf32>, %arg16: tensor<8xf32>, %arg17: tensor<8x8xf32>, %arg18: tensor<8xf32>, %arg19: tensor<8x8xf32>, %arg20: tensor<8xf32>, %arg21: tensor<8xf32>, %arg22: tensor<8xf32>) -> tensor<2x6x8xf32> {
    %c0_i64 = arith.constant 0 : i64
    %c6_i64 = arith.constant 6 : i64
    %c16 = arith.constant 16 : index
    %c2 = arith.constant 2 : index
    %cst = arith.constant 0.000000e+00 : f64
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_2 = arith.constant 1.000000e+00 : f32
    %cst_3 = arith.constant 5.000000e-01 : f32
    %cst_4 = arith.constant dense<0.000000e+00> : tensor<2x2x6x6xf32>
    %cst_5 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_6 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_7 = arith.constant dense<true> : tensor<i1>
    %cst_8 = arith.constant 0.70710678118654757 : f64
    %cst_9 = arith.constant 0xFFF0000000000000 : f64
    %cst_10 = arith.constant 9.9999999999999998E-13 : f64
    %c0 = arith.constant 0 : index
    %cst_11 = arith.constant 8.000000e+00 : f64
    %cst_12 = arith.constant 8.000000e+00 : f32
    %cst_13 = arith.constant 1.41421354 : f32
    %c2_i64 = arith.constant 2 : i64
    %cst_14 = arith.constant dense_resource<torch_tensor_1_16_torch.int64_1> : tensor<1x16xi64>
    %cst_15 = arith.constant dense_resource<torch_tensor_1_16_torch.int64> : tensor<1x16xi64>
    %extracted_slice = tensor.extract_slice %cst_15[0, 0] [1, 6] [1, 1] : tensor<1x16xi64> to tensor<1x6xi64>
    %0 = tensor.empty() : tensor<1x6xi64>
    %1 = linalg.fill ins(%c0_i64 : i64) outs(%0 : tensor<1x6xi64>) -> tensor<1x6xi64>
    %2 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%extracted_slice : tensor<1x6xi64>) outs(%1 : tensor<1x6xi64>) {
    ^bb0(%in: i64, %out: i64):
      %131 = arith.index_cast %in : i64 to index
      %132 = arith.cmpi slt, %131, %c16 : index
      cf.assert %132, "index must be smaller than dim size"
      %133 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %133, "index must be larger or equal to 0"
      %extracted = tensor.extract %cst_14[%c0, %131] : tensor<1x16xi64>
      linalg.yield %extracted : i64
    } -> tensor<1x6xi64>
    %3 = tensor.empty() : tensor<2x6xi64>
    %collapsed = tensor.collapse_shape %2 [[0, 1]] : tensor<1x6xi64> into tensor<6xi64>
    %4 = linalg.generic {indexing_maps = [#map1, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed : tensor<6xi64>) outs(%3 : tensor<2x6xi64>) {
    ^bb0(%in: i64, %out: i64):
      linalg.yield %in : i64
    } -> tensor<2x6xi64>
    %5 = tensor.empty() : tensor<2x6x8xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<2x6xi64>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: i64, %out: f32):
      %131 = arith.index_cast %in : i64 to index
      %132 = linalg.index 2 : index
      %133 = arith.cmpi slt, %131, %c16 : index
      cf.assert %133, "index must be smaller than dim size"
      %134 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %134, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg2[%131, %132] : tensor<16x8xf32>
      linalg.yield %extracted : f32
    } -> tensor<2x6x8xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x6xi64>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: i64, %out: f32):
      %131 = arith.index_cast %in : i64 to index
      %132 = linalg.index 2 : index
      %133 = arith.cmpi slt, %131, %c2 : index
      cf.assert %133, "index must be smaller than dim size"
      %134 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %134, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg4[%131, %132] : tensor<2x8xf32>
      linalg.yield %extracted : f32
    } -> tensor<2x6x8xf32>
    %8 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %7 : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %9 = tensor.empty() : tensor<1x6x8xf32>
    %10 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%extracted_slice : tensor<1x6xi64>) outs(%9 : tensor<1x6x8xf32>) {
    ^bb0(%in: i64, %out: f32):
      %131 = arith.index_cast %in : i64 to index
      %132 = linalg.index 2 : index
      %133 = arith.cmpi slt, %131, %c16 : index
      cf.assert %133, "index must be smaller than dim size"
      %134 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %134, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg3[%131, %132] : tensor<16x8xf32>
      linalg.yield %extracted : f32
    } -> tensor<1x6x8xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %10 : tensor<2x6x8xf32>, tensor<1x6x8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %12 = tensor.empty() : tensor<2x6x8xf64>
    %13 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<2x6x8xf32>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f32, %out: f64):
      %131 = arith.extf %in : f32 to f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %14 = tensor.empty() : tensor<2x6x1xf64>
    %15 = linalg.fill ins(%cst : f64) outs(%14 : tensor<2x6x1xf64>) -> tensor<2x6x1xf64>
    %16 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%13 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %17 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %18 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %17 : tensor<2x6x8xf64>, tensor<2x6x1xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.subf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %19 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18, %18 : tensor<2x6x8xf64>, tensor<2x6x8xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.mulf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %20 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%19 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %21 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %22 = tensor.empty() : tensor<2x6x1xf32>
    %23 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21 : tensor<2x6x1xf64>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %131 = arith.truncf %in : f64 to f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %24 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<2x6x1xf32>) -> tensor<2x6x1xf32>
    %25 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11 : tensor<2x6x8xf32>) outs(%24 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.addf %in, %out : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %26 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.divf %in, %cst_12 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %27 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.truncf %cst_10 : f64 to f32
      %132 = arith.addf %in, %131 : f32
      linalg.yield %132 : f32
    } -> tensor<2x6x1xf32>
    %28 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = math.rsqrt %in : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %29 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %26 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.subf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %30 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%29, %28 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %31 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%30, %arg5 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %32 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%31, %arg6 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %33 = tensor.empty() : tensor<2x6xi1>
    %34 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<2x6xi64>) outs(%33 : tensor<2x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %131 = arith.cmpi ne, %in, %c0_i64 : i64
      linalg.yield %131 : i1
    } -> tensor<2x6xi1>
    %35 = tensor.empty() : tensor<2xi64>
    %36 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%35 : tensor<2xi64>) {
    ^bb0(%out: i64):
      %131 = linalg.index 0 : index
      %132 = arith.index_cast %131 : index to i64
      linalg.yield %132 : i64
    } -> tensor<2xi64>
    %37 = tensor.empty() : tensor<6xi64>
    %38 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%37 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %131 = linalg.index 0 : index
      %132 = arith.index_cast %131 : index to i64
      linalg.yield %132 : i64
    } -> tensor<6xi64>
    %expanded = tensor.expand_shape %36 [[0, 1, 2, 3]] output_shape [2, 1, 1, 1] : tensor<2xi64> into tensor<2x1x1x1xi64>
    %expanded_16 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 6, 1] : tensor<6xi64> into tensor<1x1x6x1xi64>
    %expanded_17 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 1, 6] : tensor<6xi64> into tensor<1x1x1x6xi64>
    %39 = tensor.empty() : tensor<1x1x6x1xi1>
    %40 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_16 : tensor<1x1x6x1xi64>) outs(%39 : tensor<1x1x6x1xi1>) {
    ^bb0(%in: i64, %out: i1):
      %131 = arith.cmpi sge, %in, %c0_i64 : i64
      linalg.yield %131 : i1
    } -> tensor<1x1x6x1xi1>
    %41 = linalg.generic {indexing_maps = [#map9, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_7, %40 : tensor<i1>, tensor<1x1x6x1xi1>) outs(%39 : tensor<1x1x6x1xi1>) {
    ^bb0(%in: i1, %in_43: i1, %out: i1):
      %131 = arith.andi %in, %in_43 : i1
      linalg.yield %131 : i1
    } -> tensor<1x1x6x1xi1>
    %42 = tensor.empty() : tensor<2x1x1x6xi1>
    %43 = linalg.generic {indexing_maps = [#map10, #map11, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_17 : tensor<2x1x1x1xi64>, tensor<1x1x1x6xi64>) outs(%42 : tensor<2x1x1x6xi1>) {
    ^bb0(%in: i64, %in_43: i64, %out: i1):
      %131 = arith.cmpi slt, %in, %c0_i64 : i64
      %132 = arith.addi %in, %c2_i64 : i64
      %133 = arith.select %131, %132, %in : i64
      %134 = arith.index_cast %133 : i64 to index
      %135 = arith.cmpi slt, %in_43, %c0_i64 : i64
      %136 = arith.addi %in_43, %c6_i64 : i64
      %137 = arith.select %135, %136, %in_43 : i64
      %138 = arith.index_cast %137 : i64 to index
      %extracted = tensor.extract %34[%134, %138] : tensor<2x6xi1>
      linalg.yield %extracted : i1
    } -> tensor<2x1x1x6xi1>
    %44 = tensor.empty() : tensor<2x1x6x6xi1>
    %45 = linalg.generic {indexing_maps = [#map12, #map13, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%41, %43 : tensor<1x1x6x1xi1>, tensor<2x1x1x6xi1>) outs(%44 : tensor<2x1x6x6xi1>) {
    ^bb0(%in: i1, %in_43: i1, %out: i1):
      %131 = arith.andi %in, %in_43 : i1
      linalg.yield %131 : i1
    } -> tensor<2x1x6x6xi1>
    %collapsed_18 = tensor.collapse_shape %32 [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
    %46 = tensor.empty() : tensor<8x8xf32>
    %transposed = linalg.transpose ins(%arg7 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %47 = tensor.empty() : tensor<12x8xf32>
    %48 = linalg.fill ins(%cst_0 : f32) outs(%47 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %49 = linalg.matmul ins(%collapsed_18, %transposed : tensor<12x8xf32>, tensor<8x8xf32>) outs(%48 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %50 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%49, %arg8 : tensor<12x8xf32>, tensor<8xf32>) outs(%47 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<12x8xf32>
    %expanded_19 = tensor.expand_shape %50 [[0, 1], [2, 3]] output_shape [2, 6, 2, 4] : tensor<12x8xf32> into tensor<2x6x2x4xf32>
    %51 = tensor.empty() : tensor<2x2x6x4xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<2x6x2x4xf32>) outs(%51 : tensor<2x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %transposed_21 = linalg.transpose ins(%arg9 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %52 = linalg.matmul ins(%collapsed_18, %transposed_21 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%48 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %53 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%52, %arg10 : tensor<12x8xf32>, tensor<8xf32>) outs(%47 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<12x8xf32>
    %expanded_22 = tensor.expand_shape %53 [[0, 1], [2, 3]] output_shape [2, 6, 2, 4] : tensor<12x8xf32> into tensor<2x6x2x4xf32>
    %transposed_23 = linalg.transpose ins(%arg11 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %54 = linalg.matmul ins(%collapsed_18, %transposed_23 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%48 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %55 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%54, %arg12 : tensor<12x8xf32>, tensor<8xf32>) outs(%47 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<12x8xf32>
    %expanded_24 = tensor.expand_shape %55 [[0, 1], [2, 3]] output_shape [2, 6, 2, 4] : tensor<12x8xf32> into tensor<2x6x2x4xf32>
    %transposed_25 = linalg.transpose ins(%expanded_24 : tensor<2x6x2x4xf32>) outs(%51 : tensor<2x2x6x4xf32>) permutation = [0, 2, 1, 3]
    %56 = tensor.empty() : tensor<2x1x6x6xf32>
    %57 = linalg.generic {indexing_maps = [#map8, #map9, #map9, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%45, %cst_5, %cst_6 : tensor<2x1x6x6xi1>, tensor<f32>, tensor<f32>) outs(%56 : tensor<2x1x6x6xf32>) {
    ^bb0(%in: i1, %in_43: f32, %in_44: f32, %out: f32):
      %131 = arith.select %in, %in_43, %in_44 : f32
      linalg.yield %131 : f32
    } -> tensor<2x1x6x6xf32>
    %58 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_20 : tensor<2x2x6x4xf32>) outs(%51 : tensor<2x2x6x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.truncf %cst_8 : f64 to f32
      %132 = arith.mulf %in, %131 : f32
      linalg.yield %132 : f32
    } -> tensor<2x2x6x4xf32>
    %59 = tensor.empty() : tensor<2x2x4x6xf32>
    %transposed_26 = linalg.transpose ins(%expanded_22 : tensor<2x6x2x4xf32>) outs(%59 : tensor<2x2x4x6xf32>) permutation = [0, 2, 3, 1]
    %60 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed_26 : tensor<2x2x4x6xf32>) outs(%59 : tensor<2x2x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.truncf %cst_8 : f64 to f32
      %132 = arith.mulf %in, %131 : f32
      linalg.yield %132 : f32
    } -> tensor<2x2x4x6xf32>
    %collapsed_27 = tensor.collapse_shape %58 [[0, 1], [2], [3]] : tensor<2x2x6x4xf32> into tensor<4x6x4xf32>
    %collapsed_28 = tensor.collapse_shape %60 [[0, 1], [2], [3]] : tensor<2x2x4x6xf32> into tensor<4x4x6xf32>
    %61 = tensor.empty() : tensor<4x6x6xf32>
    %62 = linalg.fill ins(%cst_0 : f32) outs(%61 : tensor<4x6x6xf32>) -> tensor<4x6x6xf32>
    %63 = linalg.batch_matmul ins(%collapsed_27, %collapsed_28 : tensor<4x6x4xf32>, tensor<4x4x6xf32>) outs(%62 : tensor<4x6x6xf32>) -> tensor<4x6x6xf32>
    %expanded_29 = tensor.expand_shape %63 [[0, 1], [2], [3]] output_shape [2, 2, 6, 6] : tensor<4x6x6xf32> into tensor<2x2x6x6xf32>
    %64 = tensor.empty() : tensor<2x2x6x6xf32>
    %65 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_29, %57 : tensor<2x2x6x6xf32>, tensor<2x1x6x6xf32>) outs(%64 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x6xf32>
    %66 = tensor.empty() : tensor<2x2x6xi64>
    %67 = linalg.fill ins(%c0_i64 : i64) outs(%66 : tensor<2x2x6xi64>) -> tensor<2x2x6xi64>
    %68 = tensor.empty() : tensor<2x2x6xf32>
    %69 = linalg.fill ins(%cst_1 : f32) outs(%68 : tensor<2x2x6xf32>) -> tensor<2x2x6xf32>
    %70:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%65 : tensor<2x2x6x6xf32>) outs(%69, %67 : tensor<2x2x6xf32>, tensor<2x2x6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_43: i64):
      %131 = linalg.index 3 : index
      %132 = arith.index_cast %131 : index to i64
      %133 = arith.maximumf %in, %out : f32
      %134 = arith.cmpf ogt, %in, %out : f32
      %135 = arith.select %134, %132, %out_43 : i64
      linalg.yield %133, %135 : f32, i64
    } -> (tensor<2x2x6xf32>, tensor<2x2x6xi64>)
    %expanded_30 = tensor.expand_shape %70#0 [[0], [1], [2, 3]] output_shape [2, 2, 6, 1] : tensor<2x2x6xf32> into tensor<2x2x6x1xf32>
    %71 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%65, %expanded_30 : tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>) outs(%64 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.subf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x6xf32>
    %72 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%71 : tensor<2x2x6x6xf32>) outs(%64 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = math.exp %in : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x6xf32>
    %73 = tensor.empty() : tensor<2x2x6x1xf32>
    %74 = linalg.fill ins(%cst_0 : f32) outs(%73 : tensor<2x2x6x1xf32>) -> tensor<2x2x6x1xf32>
    %75 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%72 : tensor<2x2x6x6xf32>) outs(%74 : tensor<2x2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.addf %in, %out : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x1xf32>
    %76 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%72, %75 : tensor<2x2x6x6xf32>, tensor<2x2x6x1xf32>) outs(%64 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.divf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x6xf32>
    %77 = tensor.empty() : tensor<2x2x6x6xi1>
    %78 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%65 : tensor<2x2x6x6xf32>) outs(%77 : tensor<2x2x6x6xi1>) {
    ^bb0(%in: f32, %out: i1):
      %131 = arith.extf %in : f32 to f64
      %132 = arith.cmpf oeq, %131, %cst_9 : f64
      linalg.yield %132 : i1
    } -> tensor<2x2x6x6xi1>
    %79 = tensor.empty() : tensor<2x2x6x1xi1>
    %80 = linalg.fill ins(%true : i1) outs(%79 : tensor<2x2x6x1xi1>) -> tensor<2x2x6x1xi1>
    %81 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%78 : tensor<2x2x6x6xi1>) outs(%80 : tensor<2x2x6x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %131 = arith.andi %in, %out : i1
      linalg.yield %131 : i1
    } -> tensor<2x2x6x1xi1>
    %82 = linalg.generic {indexing_maps = [#map16, #map8, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%81, %cst_4, %76 : tensor<2x2x6x1xi1>, tensor<2x2x6x6xf32>, tensor<2x2x6x6xf32>) outs(%64 : tensor<2x2x6x6xf32>) {
    ^bb0(%in: i1, %in_43: f32, %in_44: f32, %out: f32):
      %131 = arith.select %in, %in_43, %in_44 : f32
      linalg.yield %131 : f32
    } -> tensor<2x2x6x6xf32>
    %collapsed_31 = tensor.collapse_shape %82 [[0, 1], [2], [3]] : tensor<2x2x6x6xf32> into tensor<4x6x6xf32>
    %collapsed_32 = tensor.collapse_shape %transposed_25 [[0, 1], [2], [3]] : tensor<2x2x6x4xf32> into tensor<4x6x4xf32>
    %83 = tensor.empty() : tensor<4x6x4xf32>
    %84 = linalg.fill ins(%cst_0 : f32) outs(%83 : tensor<4x6x4xf32>) -> tensor<4x6x4xf32>
    %85 = linalg.batch_matmul ins(%collapsed_31, %collapsed_32 : tensor<4x6x6xf32>, tensor<4x6x4xf32>) outs(%84 : tensor<4x6x4xf32>) -> tensor<4x6x4xf32>
    %expanded_33 = tensor.expand_shape %85 [[0, 1], [2], [3]] output_shape [2, 2, 6, 4] : tensor<4x6x4xf32> into tensor<2x2x6x4xf32>
    %86 = tensor.empty() : tensor<2x6x2x4xf32>
    %transposed_34 = linalg.transpose ins(%expanded_33 : tensor<2x2x6x4xf32>) outs(%86 : tensor<2x6x2x4xf32>) permutation = [0, 2, 1, 3]
    %collapsed_35 = tensor.collapse_shape %transposed_34 [[0], [1], [2, 3]] : tensor<2x6x2x4xf32> into tensor<2x6x8xf32>
    %transposed_36 = linalg.transpose ins(%arg13 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %87 = tensor.empty() : tensor<2x8x8xf32>
    %88 = linalg.generic {indexing_maps = [#map17, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%transposed_36 : tensor<8x8xf32>) outs(%87 : tensor<2x8x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x8x8xf32>
    %89 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
    %90 = linalg.batch_matmul ins(%collapsed_35, %88 : tensor<2x6x8xf32>, tensor<2x8x8xf32>) outs(%89 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
    %91 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%90, %arg14 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %92 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%91, %32 : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %93 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%92 : tensor<2x6x8xf32>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f32, %out: f64):
      %131 = arith.extf %in : f32 to f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %94 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%93 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %95 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%94 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %96 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%93, %95 : tensor<2x6x8xf64>, tensor<2x6x1xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.subf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %97 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%96, %96 : tensor<2x6x8xf64>, tensor<2x6x8xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.mulf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %98 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%97 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %99 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%98 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %100 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%99 : tensor<2x6x1xf64>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %131 = arith.truncf %in : f64 to f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %101 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%92 : tensor<2x6x8xf32>) outs(%24 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.addf %in, %out : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %102 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%101 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.divf %in, %cst_12 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %103 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%100 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.truncf %cst_10 : f64 to f32
      %132 = arith.addf %in, %131 : f32
      linalg.yield %132 : f32
    } -> tensor<2x6x1xf32>
    %104 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%103 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = math.rsqrt %in : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %105 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%92, %102 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.subf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %106 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%105, %104 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %107 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%106, %arg15 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %108 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%107, %arg16 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %collapsed_37 = tensor.collapse_shape %108 [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
    %transposed_38 = linalg.transpose ins(%arg17 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %109 = linalg.matmul ins(%collapsed_37, %transposed_38 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%48 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %110 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%109, %arg18 : tensor<12x8xf32>, tensor<8xf32>) outs(%47 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<12x8xf32>
    %expanded_39 = tensor.expand_shape %110 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
    %111 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_39 : tensor<2x6x8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.divf %in, %cst_13 : f32
      %132 = math.erf %131 : f32
      %133 = arith.addf %132, %cst_2 : f32
      %134 = arith.mulf %133, %cst_3 : f32
      %135 = arith.mulf %in, %134 : f32
      linalg.yield %135 : f32
    } -> tensor<2x6x8xf32>
    %collapsed_40 = tensor.collapse_shape %111 [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
    %transposed_41 = linalg.transpose ins(%arg19 : tensor<8x8xf32>) outs(%46 : tensor<8x8xf32>) permutation = [1, 0]
    %112 = linalg.matmul ins(%collapsed_40, %transposed_41 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%48 : tensor<12x8xf32>) -> tensor<12x8xf32>
    %113 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%112, %arg20 : tensor<12x8xf32>, tensor<8xf32>) outs(%47 : tensor<12x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<12x8xf32>
    %expanded_42 = tensor.expand_shape %113 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
    %114 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_42, %108 : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %115 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%114 : tensor<2x6x8xf32>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f32, %out: f64):
      %131 = arith.extf %in : f32 to f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %116 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%115 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %117 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%116 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %118 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%115, %117 : tensor<2x6x8xf64>, tensor<2x6x1xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.subf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %119 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%118, %118 : tensor<2x6x8xf64>, tensor<2x6x8xf64>) outs(%12 : tensor<2x6x8xf64>) {
    ^bb0(%in: f64, %in_43: f64, %out: f64):
      %131 = arith.mulf %in, %in_43 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x8xf64>
    %120 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%119 : tensor<2x6x8xf64>) outs(%15 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.addf %in, %out : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %121 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%120 : tensor<2x6x1xf64>) outs(%14 : tensor<2x6x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %131 = arith.divf %in, %cst_11 : f64
      linalg.yield %131 : f64
    } -> tensor<2x6x1xf64>
    %122 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%121 : tensor<2x6x1xf64>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %131 = arith.truncf %in : f64 to f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %123 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%114 : tensor<2x6x8xf32>) outs(%24 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.addf %in, %out : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %124 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%123 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.divf %in, %cst_12 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %125 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%122 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = arith.truncf %cst_10 : f64 to f32
      %132 = arith.addf %in, %131 : f32
      linalg.yield %132 : f32
    } -> tensor<2x6x1xf32>
    %126 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%125 : tensor<2x6x1xf32>) outs(%22 : tensor<2x6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %131 = math.rsqrt %in : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x1xf32>
    %127 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%114, %124 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.subf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %128 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%127, %126 : tensor<2x6x8xf32>, tensor<2x6x1xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %129 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%128, %arg21 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.mulf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    %130 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%129, %arg22 : tensor<2x6x8xf32>, tensor<8xf32>) outs(%5 : tensor<2x6x8xf32>) {
    ^bb0(%in: f32, %in_43: f32, %out: f32):
      %131 = arith.addf %in, %in_43 : f32
      linalg.yield %131 : f32
    } -> tensor<2x6x8xf32>
    return %130 : tensor<2x6x8xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      torch_tensor_1_16_torch.int64_1: "0x080000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      torch_tensor_1_16_torch.int64: "0x0800000000000000000000000100000000000000020000000000000003000000000000000400000000000000050000000000000006000000000000000700000000000000080000000000000009000000000000000A000000000000000B000000000000000C000000000000000D000000000000000E000000000000000F00000000000000"
    }
  }
#-}
