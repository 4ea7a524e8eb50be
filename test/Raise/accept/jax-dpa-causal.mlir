// is_causal.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask causal
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d3, d5)>
#map1 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d5)>
#map2 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3) -> ()>
#map6 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map7 = affine_map<(d0, d1) -> ()>
#map8 = affine_map<(d0, d1) -> (d0, d1)>
#map9 = affine_map<(d0) -> (d0)>
#map10 = affine_map<(d0, d1) -> (d0)>
#map11 = affine_map<(d0, d1) -> (d1)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map13 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map14 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, 0)>
#map15 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d1, d2)>
#map16 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3, d0, d1, d4, d5)>
#map17 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4, d3, d1)>
module {
  func.func @main(%arg0: tensor<1x6x2x4xf32>, %arg1: tensor<1x6x2x4xf32>, %arg2: tensor<1x6x2x4xf32>) -> (tensor<1x6x2x4xf32>) {
    %cst = arith.constant dense<0> : tensor<i32>
    %cst_0 = arith.constant dense<false> : tensor<i1>
    %cst_1 = arith.constant 0xFF800000 : f32
    %cst_2 = arith.constant 0.000000e+00 : f32
    %cst_3 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_4 = arith.constant dense<-2.38197633E+38> : tensor<f32>
    %cst_5 = arith.constant dense<true> : tensor<i1>
    %cst_6 = arith.constant dense<5.000000e-01> : tensor<f32>
    %expanded = tensor.expand_shape %arg0 [[0], [1], [2], [3, 4]] output_shape [1, 6, 2, 1, 4] : tensor<1x6x2x4xf32> into tensor<1x6x2x1x4xf32>
    %0 = tensor.empty() : tensor<1x2x6x1x6xf32>
    %1 = linalg.fill ins(%cst_2 : f32) outs(%0 : tensor<1x2x6x1x6xf32>) -> tensor<1x2x6x1x6xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%expanded, %arg1 : tensor<1x6x2x1x4xf32>, tensor<1x6x2x4xf32>) outs(%1 : tensor<1x2x6x1x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.mulf %in, %in_13 : f32
      %42 = arith.addf %out, %41 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x6x1x6xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_6 : tensor<f32>) outs(%0 : tensor<1x2x6x1x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x1x6xf32>
    %4 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%2, %3 : tensor<1x2x6x1x6xf32>, tensor<1x2x6x1x6xf32>) outs(%0 : tensor<1x2x6x1x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.mulf %in, %in_13 : f32
      linalg.yield %41 : f32
    } -> tensor<1x2x6x1x6xf32>
    %5 = tensor.empty() : tensor<1x2x6x6xi1>
    %6 = linalg.generic {indexing_maps = [#map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_5 : tensor<i1>) outs(%5 : tensor<1x2x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x2x6x6xi1>
    %7 = tensor.empty() : tensor<6x6xi1>
    %8 = linalg.generic {indexing_maps = [#map7, #map8], iterator_types = ["parallel", "parallel"]} ins(%cst_5 : tensor<i1>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6xi1>
    %9 = tensor.empty() : tensor<6xi32>
    %10 = linalg.generic {indexing_maps = [#map9], iterator_types = ["parallel"]} outs(%9 : tensor<6xi32>) {
    ^bb0(%out: i32):
      %41 = linalg.index 0 : index
      %42 = arith.index_cast %41 : index to i32
      linalg.yield %42 : i32
    } -> tensor<6xi32>
    %11 = tensor.empty() : tensor<6x6xi32>
    %12 = linalg.generic {indexing_maps = [#map10, #map8], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<6xi32>) outs(%11 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %13 = linalg.generic {indexing_maps = [#map7, #map8], iterator_types = ["parallel", "parallel"]} ins(%cst : tensor<i32>) outs(%11 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %14 = linalg.generic {indexing_maps = [#map8, #map8, #map8], iterator_types = ["parallel", "parallel"]} ins(%12, %13 : tensor<6x6xi32>, tensor<6x6xi32>) outs(%11 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %in_13: i32, %out: i32):
      %41 = arith.addi %in, %in_13 : i32
      linalg.yield %41 : i32
    } -> tensor<6x6xi32>
    %15 = linalg.generic {indexing_maps = [#map11, #map8], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<6xi32>) outs(%11 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %16 = linalg.generic {indexing_maps = [#map8, #map8, #map8], iterator_types = ["parallel", "parallel"]} ins(%14, %15 : tensor<6x6xi32>, tensor<6x6xi32>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i32, %in_13: i32, %out: i1):
      %41 = arith.cmpi sge, %in, %in_13 : i32
      linalg.yield %41 : i1
    } -> tensor<6x6xi1>
    %17 = linalg.generic {indexing_maps = [#map7, #map8], iterator_types = ["parallel", "parallel"]} ins(%cst_0 : tensor<i1>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6xi1>
    %18 = linalg.generic {indexing_maps = [#map8, #map8, #map8, #map8], iterator_types = ["parallel", "parallel"]} ins(%16, %8, %17 : tensor<6x6xi1>, tensor<6x6xi1>, tensor<6x6xi1>) outs(%7 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_13: i1, %in_14: i1, %out: i1):
      %41 = arith.select %in, %in_13, %in_14 : i1
      linalg.yield %41 : i1
    } -> tensor<6x6xi1>
    %expanded_7 = tensor.expand_shape %18 [[0, 1, 2], [3]] output_shape [1, 1, 6, 6] : tensor<6x6xi1> into tensor<1x1x6x6xi1>
    %19 = linalg.generic {indexing_maps = [#map12, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_7 : tensor<1x1x6x6xi1>) outs(%5 : tensor<1x2x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x2x6x6xi1>
    %20 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%6, %19 : tensor<1x2x6x6xi1>, tensor<1x2x6x6xi1>) outs(%5 : tensor<1x2x6x6xi1>) {
    ^bb0(%in: i1, %in_13: i1, %out: i1):
      %41 = arith.andi %in, %in_13 : i1
      linalg.yield %41 : i1
    } -> tensor<1x2x6x6xi1>
    %expanded_8 = tensor.expand_shape %20 [[0], [1, 2], [3], [4]] output_shape [1, 1, 2, 6, 6] : tensor<1x2x6x6xi1> into tensor<1x1x2x6x6xi1>
    %21 = tensor.empty() : tensor<1x1x2x6x6xf32>
    %22 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_4 : tensor<f32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6x6xf32>
    %collapsed = tensor.collapse_shape %4 [[0, 1, 2, 3, 4]] : tensor<1x2x6x1x6xf32> into tensor<72xf32>
    %expanded_9 = tensor.expand_shape %collapsed [[0, 1, 2, 3, 4]] output_shape [1, 1, 2, 6, 6] : tensor<72xf32> into tensor<1x1x2x6x6xf32>
    %23 = linalg.generic {indexing_maps = [#map4, #map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_8, %expanded_9, %22 : tensor<1x1x2x6x6xi1>, tensor<1x1x2x6x6xf32>, tensor<1x1x2x6x6xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: i1, %in_13: f32, %in_14: f32, %out: f32):
      %41 = arith.select %in, %in_13, %in_14 : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6x6xf32>
    %24 = tensor.empty() : tensor<1x1x2x6xf32>
    %25 = linalg.fill ins(%cst_1 : f32) outs(%24 : tensor<1x1x2x6xf32>) -> tensor<1x1x2x6xf32>
    %26 = linalg.generic {indexing_maps = [#map4, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%23 : tensor<1x1x2x6x6xf32>) outs(%25 : tensor<1x1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.maximumf %out, %in : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6xf32>
    %27 = linalg.generic {indexing_maps = [#map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<f32>) outs(%24 : tensor<1x1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6xf32>
    %28 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27, %26 : tensor<1x1x2x6xf32>, tensor<1x1x2x6xf32>) outs(%24 : tensor<1x1x2x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.maximumf %in, %in_13 : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6xf32>
    %expanded_10 = tensor.expand_shape %28 [[0], [1], [2], [3, 4]] output_shape [1, 1, 2, 6, 1] : tensor<1x1x2x6xf32> into tensor<1x1x2x6x1xf32>
    %29 = linalg.generic {indexing_maps = [#map14, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_10 : tensor<1x1x2x6x1xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6x6xf32>
    %30 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%23, %29 : tensor<1x1x2x6x6xf32>, tensor<1x1x2x6x6xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.subf %in, %in_13 : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6x6xf32>
    %31 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%30 : tensor<1x1x2x6x6xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = math.exp %in : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6x6xf32>
    %32 = linalg.fill ins(%cst_2 : f32) outs(%24 : tensor<1x1x2x6xf32>) -> tensor<1x1x2x6xf32>
    %33 = linalg.generic {indexing_maps = [#map4, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%31 : tensor<1x1x2x6x6xf32>) outs(%32 : tensor<1x1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %out, %in : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6xf32>
    %expanded_11 = tensor.expand_shape %33 [[0], [1], [2], [3, 4]] output_shape [1, 1, 2, 6, 1] : tensor<1x1x2x6xf32> into tensor<1x1x2x6x1xf32>
    %34 = linalg.generic {indexing_maps = [#map14, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_11 : tensor<1x1x2x6x1xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x1x2x6x6xf32>
    %35 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%31, %34 : tensor<1x1x2x6x6xf32>, tensor<1x1x2x6x6xf32>) outs(%21 : tensor<1x1x2x6x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.divf %in, %in_13 : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x2x6x6xf32>
    %36 = tensor.empty() : tensor<1x2x4x1x6xf32>
    %37 = linalg.fill ins(%cst_2 : f32) outs(%36 : tensor<1x2x4x1x6xf32>) -> tensor<1x2x4x1x6xf32>
    %38 = linalg.generic {indexing_maps = [#map15, #map16, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg2, %35 : tensor<1x6x2x4xf32>, tensor<1x1x2x6x6xf32>) outs(%37 : tensor<1x2x4x1x6xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %41 = arith.mulf %in, %in_13 : f32
      %42 = arith.addf %out, %41 : f32
      linalg.yield %42 : f32
    } -> tensor<1x2x4x1x6xf32>
    %39 = tensor.empty() : tensor<1x6x2x1x4xf32>
    %40 = linalg.generic {indexing_maps = [#map17, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%38 : tensor<1x2x4x1x6xf32>) outs(%39 : tensor<1x6x2x1x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x6x2x1x4xf32>
    %collapsed_12 = tensor.collapse_shape %40 [[0], [1], [2], [3, 4]] : tensor<1x6x2x1x4xf32> into tensor<1x6x2x4xf32>
    return %collapsed_12 : tensor<1x6x2x4xf32>
  }
}

