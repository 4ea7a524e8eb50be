// Causal along both sets of keys.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}} mask [causal, causal]
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> ()>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
#map2 = affine_map<(d0) -> (d0)>
#map3 = affine_map<(d0, d1) -> (d0)>
#map4 = affine_map<(d0, d1) -> (d1)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map6 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map7 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d2)>
#map10 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map11 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2, d4)>
#map12 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5, d3)>
#map13 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
#map14 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
#map15 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map16 = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d4)>
#map17 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
#map18 = affine_map<(d0, d1, d2) -> ()>
#map19 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, 0)>
#map20 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4, d5)>
#map21 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3, d4)>
#map22 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<1x2x6x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x6x4xf32>, %arg3: tensor<1x2x6x4xf32>, %arg4: tensor<1x2x6x4xf32>) -> (tensor<1x2x6x4xf32>) {
    %cst = arith.constant dense<0> : tensor<i32>
    %cst_0 = arith.constant dense<false> : tensor<i1>
    %cst_1 = arith.constant 0xFF800000 : f32
    %cst_2 = arith.constant 0.000000e+00 : f32
    %cst_3 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_4 = arith.constant dense<5.000000e-01> : tensor<f32>
    %cst_5 = arith.constant dense<true> : tensor<i1>
    %0 = tensor.empty() : tensor<6x6xi1>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel"]} ins(%cst_5 : tensor<i1>) outs(%0 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6xi1>
    %2 = tensor.empty() : tensor<6xi32>
    %3 = linalg.generic {indexing_maps = [#map2], iterator_types = ["parallel"]} outs(%2 : tensor<6xi32>) {
    ^bb0(%out: i32):
      %48 = linalg.index 0 : index
      %49 = arith.index_cast %48 : index to i32
      linalg.yield %49 : i32
    } -> tensor<6xi32>
    %4 = tensor.empty() : tensor<6x6xi32>
    %5 = linalg.generic {indexing_maps = [#map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6xi32>) outs(%4 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %6 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel"]} ins(%cst : tensor<i32>) outs(%4 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %7 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%5, %6 : tensor<6x6xi32>, tensor<6x6xi32>) outs(%4 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %in_9: i32, %out: i32):
      %48 = arith.addi %in, %in_9 : i32
      linalg.yield %48 : i32
    } -> tensor<6x6xi32>
    %8 = linalg.generic {indexing_maps = [#map4, #map1], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6xi32>) outs(%4 : tensor<6x6xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
    } -> tensor<6x6xi32>
    %9 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%7, %8 : tensor<6x6xi32>, tensor<6x6xi32>) outs(%0 : tensor<6x6xi1>) {
    ^bb0(%in: i32, %in_9: i32, %out: i1):
      %48 = arith.cmpi sge, %in, %in_9 : i32
      linalg.yield %48 : i1
    } -> tensor<6x6xi1>
    %10 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel"]} ins(%cst_0 : tensor<i1>) outs(%0 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6xi1>
    %11 = linalg.generic {indexing_maps = [#map1, #map1, #map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%9, %1, %10 : tensor<6x6xi1>, tensor<6x6xi1>, tensor<6x6xi1>) outs(%0 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %in_9: i1, %in_10: i1, %out: i1):
      %48 = arith.select %in, %in_9, %in_10 : i1
      linalg.yield %48 : i1
    } -> tensor<6x6xi1>
    %expanded = tensor.expand_shape %11 [[0], [1, 2]] output_shape [6, 6, 1] : tensor<6x6xi1> into tensor<6x6x1xi1>
    %expanded_6 = tensor.expand_shape %11 [[0], [1, 2]] output_shape [6, 1, 6] : tensor<6x6xi1> into tensor<6x1x6xi1>
    %12 = tensor.empty() : tensor<6x6x6xi1>
    %13 = linalg.generic {indexing_maps = [#map5, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded : tensor<6x6x1xi1>) outs(%12 : tensor<6x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6x6xi1>
    %14 = linalg.generic {indexing_maps = [#map7, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<6x1x6xi1>) outs(%12 : tensor<6x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<6x6x6xi1>
    %15 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %14 : tensor<6x6x6xi1>, tensor<6x6x6xi1>) outs(%12 : tensor<6x6x6xi1>) {
    ^bb0(%in: i1, %in_9: i1, %out: i1):
      %48 = arith.andi %in, %in_9 : i1
      linalg.yield %48 : i1
    } -> tensor<6x6x6xi1>
    %16 = tensor.empty() : tensor<1x2x4x6x6xf32>
    %17 = linalg.fill ins(%cst_2 : f32) outs(%16 : tensor<1x2x4x6x6xf32>) -> tensor<1x2x4x6x6xf32>
    %18 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1, %arg0 : tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>) outs(%17 : tensor<1x2x4x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.mulf %in, %in_9 : f32
      %49 = arith.addf %out, %48 : f32
      linalg.yield %49 : f32
    } -> tensor<1x2x4x6x6xf32>
    %19 = tensor.empty() : tensor<1x2x6x4x6xf32>
    %20 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<1x2x4x6x6xf32>) outs(%19 : tensor<1x2x6x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x4x6xf32>
    %21 = tensor.empty() : tensor<1x2x6x6x6xf32>
    %22 = linalg.fill ins(%cst_2 : f32) outs(%21 : tensor<1x2x6x6x6xf32>) -> tensor<1x2x6x6x6xf32>
    %23 = linalg.generic {indexing_maps = [#map12, #map13, #map14], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%20, %arg2 : tensor<1x2x6x4x6xf32>, tensor<1x2x6x4xf32>) outs(%22 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.mulf %in, %in_9 : f32
      %49 = arith.addf %out, %48 : f32
      linalg.yield %49 : f32
    } -> tensor<1x2x6x6x6xf32>
    %24 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x6x6xf32>
    %25 = linalg.generic {indexing_maps = [#map15, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_4 : tensor<f32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x6x6xf32>
    %26 = linalg.generic {indexing_maps = [#map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%24, %25 : tensor<1x2x6x6x6xf32>, tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.mulf %in, %in_9 : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6x6x6xf32>
    %27 = tensor.empty() : tensor<1x2x6x6x6xi1>
    %28 = linalg.generic {indexing_maps = [#map16, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<6x6x6xi1>) outs(%27 : tensor<1x2x6x6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      linalg.yield %in : i1
    } -> tensor<1x2x6x6x6xi1>
    %29 = linalg.generic {indexing_maps = [#map15, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<f32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x6x6xf32>
    %30 = linalg.generic {indexing_maps = [#map10, #map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%28, %26, %29 : tensor<1x2x6x6x6xi1>, tensor<1x2x6x6x6xf32>, tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: i1, %in_9: f32, %in_10: f32, %out: f32):
      %48 = arith.select %in, %in_9, %in_10 : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6x6x6xf32>
    %31 = tensor.empty() : tensor<1x2x6xf32>
    %32 = linalg.fill ins(%cst_1 : f32) outs(%31 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %33 = linalg.generic {indexing_maps = [#map10, #map17], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%30 : tensor<1x2x6x6x6xf32>) outs(%32 : tensor<1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %48 = arith.maximumf %out, %in : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6xf32>
    %34 = linalg.generic {indexing_maps = [#map18, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<f32>) outs(%31 : tensor<1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6xf32>
    %35 = linalg.generic {indexing_maps = [#map6, #map6, #map6], iterator_types = ["parallel", "parallel", "parallel"]} ins(%34, %33 : tensor<1x2x6xf32>, tensor<1x2x6xf32>) outs(%31 : tensor<1x2x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.maximumf %in, %in_9 : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6xf32>
    %expanded_7 = tensor.expand_shape %35 [[0], [1], [2, 3, 4]] output_shape [1, 2, 6, 1, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1x1xf32>
    %36 = linalg.generic {indexing_maps = [#map19, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_7 : tensor<1x2x6x1x1xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x6x6xf32>
    %37 = linalg.generic {indexing_maps = [#map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%30, %36 : tensor<1x2x6x6x6xf32>, tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.subf %in, %in_9 : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6x6x6xf32>
    %38 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%37 : tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %48 = math.exp %in : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6x6x6xf32>
    %39 = linalg.fill ins(%cst_2 : f32) outs(%31 : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
    %40 = linalg.generic {indexing_maps = [#map10, #map17], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%38 : tensor<1x2x6x6x6xf32>) outs(%39 : tensor<1x2x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %48 = arith.addf %out, %in : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6xf32>
    %expanded_8 = tensor.expand_shape %40 [[0], [1], [2, 3, 4]] output_shape [1, 2, 6, 1, 1] : tensor<1x2x6xf32> into tensor<1x2x6x1x1xf32>
    %41 = linalg.generic {indexing_maps = [#map19, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_8 : tensor<1x2x6x1x1xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x6x6xf32>
    %42 = linalg.generic {indexing_maps = [#map10, #map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%38, %41 : tensor<1x2x6x6x6xf32>, tensor<1x2x6x6x6xf32>) outs(%21 : tensor<1x2x6x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.divf %in, %in_9 : f32
      linalg.yield %48 : f32
    } -> tensor<1x2x6x6x6xf32>
    %43 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg4, %arg3 : tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>) outs(%17 : tensor<1x2x4x6x6xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.mulf %in, %in_9 : f32
      %49 = arith.addf %out, %48 : f32
      linalg.yield %49 : f32
    } -> tensor<1x2x4x6x6xf32>
    %44 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%43 : tensor<1x2x4x6x6xf32>) outs(%19 : tensor<1x2x6x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x4x6xf32>
    %45 = tensor.empty() : tensor<1x2x6x4xf32>
    %46 = linalg.fill ins(%cst_2 : f32) outs(%45 : tensor<1x2x6x4xf32>) -> tensor<1x2x6x4xf32>
    %47 = linalg.generic {indexing_maps = [#map20, #map21, #map22], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%42, %44 : tensor<1x2x6x6x6xf32>, tensor<1x2x6x4x6xf32>) outs(%46 : tensor<1x2x6x4xf32>) {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %48 = arith.mulf %in, %in_9 : f32
      %49 = arith.addf %out, %48 : f32
      linalg.yield %49 : f32
    } -> tensor<1x2x6x4xf32>
    return %47 : tensor<1x2x6x4xf32>
  }
}

