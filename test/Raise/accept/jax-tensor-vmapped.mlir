// A function of one head, mapped; softmax of reshaped scores.
//
// ARGS: normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.tensor_attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> ()>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d2)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2, d4)>
#map6 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5, d3)>
#map7 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
#map8 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
#map9 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map10 = affine_map<(d0, d1, d2) -> ()>
#map11 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map12 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map13 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4, d5)>
#map14 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3, d4)>
#map15 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>) -> (tensor<1x2x5x3xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<1x2x5x4xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%0 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x4xf32>
    %2 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0, %1 : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%0 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x4xf32>
    %3 = tensor.empty() : tensor<1x2x4x6x5xf32>
    %4 = linalg.fill ins(%cst_0 : f32) outs(%3 : tensor<1x2x4x6x5xf32>) -> tensor<1x2x4x6x5xf32>
    %5 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1, %2 : tensor<1x2x6x4xf32>, tensor<1x2x5x4xf32>) outs(%4 : tensor<1x2x4x6x5xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x4x6x5xf32>
    %6 = tensor.empty() : tensor<1x2x6x4x5xf32>
    %7 = linalg.generic {indexing_maps = [#map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%5 : tensor<1x2x4x6x5xf32>) outs(%6 : tensor<1x2x6x4x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x4x5xf32>
    %8 = tensor.empty() : tensor<1x2x6x5x7xf32>
    %9 = linalg.fill ins(%cst_0 : f32) outs(%8 : tensor<1x2x6x5x7xf32>) -> tensor<1x2x6x5x7xf32>
    %10 = linalg.generic {indexing_maps = [#map6, #map7, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%7, %arg2 : tensor<1x2x6x4x5xf32>, tensor<1x2x7x4xf32>) outs(%9 : tensor<1x2x6x5x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x6x5x7xf32>
    %11 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %12 = linalg.generic {indexing_maps = [#map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%10 : tensor<1x2x6x5x7xf32>) outs(%11 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %collapsed = tensor.collapse_shape %12 [[0], [1], [2], [3, 4]] : tensor<1x2x5x6x7xf32> into tensor<1x2x5x42xf32>
    %13 = tensor.empty() : tensor<1x2x5xf32>
    %14 = linalg.fill ins(%cst : f32) outs(%13 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %15 = linalg.generic {indexing_maps = [#map1, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed : tensor<1x2x5x42xf32>) outs(%14 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.maximumf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %16 = linalg.generic {indexing_maps = [#map10, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%13 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5xf32>
    %17 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16, %15 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%13 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.maximumf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %expanded = tensor.expand_shape %17 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %18 = tensor.empty() : tensor<1x2x5x42xf32>
    %19 = linalg.generic {indexing_maps = [#map12, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x1xf32>) outs(%18 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x42xf32>
    %20 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed, %19 : tensor<1x2x5x42xf32>, tensor<1x2x5x42xf32>) outs(%18 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.subf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x42xf32>
    %21 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x2x5x42xf32>) outs(%18 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x42xf32>
    %22 = linalg.fill ins(%cst_0 : f32) outs(%13 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %23 = linalg.generic {indexing_maps = [#map1, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%21 : tensor<1x2x5x42xf32>) outs(%22 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %expanded_3 = tensor.expand_shape %23 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %24 = linalg.generic {indexing_maps = [#map12, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<1x2x5x1xf32>) outs(%18 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x42xf32>
    %25 = linalg.generic {indexing_maps = [#map1, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %24 : tensor<1x2x5x42xf32>, tensor<1x2x5x42xf32>) outs(%18 : tensor<1x2x5x42xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.divf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x42xf32>
    %expanded_4 = tensor.expand_shape %25 [[0], [1], [2], [3, 4]] output_shape [1, 2, 5, 6, 7] : tensor<1x2x5x42xf32> into tensor<1x2x5x6x7xf32>
    %26 = tensor.empty() : tensor<1x2x3x7x6xf32>
    %27 = linalg.fill ins(%cst_0 : f32) outs(%26 : tensor<1x2x3x7x6xf32>) -> tensor<1x2x3x7x6xf32>
    %28 = linalg.generic {indexing_maps = [#map2, #map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg4, %arg3 : tensor<1x2x7x3xf32>, tensor<1x2x6x3xf32>) outs(%27 : tensor<1x2x3x7x6xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x3x7x6xf32>
    %29 = tensor.empty() : tensor<1x2x7x3x6xf32>
    %30 = linalg.generic {indexing_maps = [#map5, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%28 : tensor<1x2x3x7x6xf32>) outs(%29 : tensor<1x2x7x3x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x3x6xf32>
    %31 = tensor.empty() : tensor<1x2x5x3xf32>
    %32 = linalg.fill ins(%cst_0 : f32) outs(%31 : tensor<1x2x5x3xf32>) -> tensor<1x2x5x3xf32>
    %33 = linalg.generic {indexing_maps = [#map13, #map14, #map15], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%expanded_4, %30 : tensor<1x2x5x6x7xf32>, tensor<1x2x7x3x6xf32>) outs(%32 : tensor<1x2x5x3xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x5x3xf32>
    return %33 : tensor<1x2x5x3xf32>
  }
}

