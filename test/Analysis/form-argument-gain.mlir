// Layer norm, projection and attention as JAX exports them: gains and weights are arguments.
// RUN: polyattn-opt %s --attn-infer-bounds=report-contractions --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s
// CHECK: no bound: nothing is known of argument 1"
// CHECK: no bound: nothing is known of argument 1"
module @jit_gpt2 {
  func.func @main(%arg0: tensor<1x128x128xf32>, %arg1: tensor<128xf32>, %arg2: tensor<128xf32>, %arg3: tensor<128x384xf32>, %arg4: tensor<384xf32>, %arg5: tensor<128x128xf32>) -> tensor<4x128x128xf32> {
    %cst_1 = arith.constant 9.99999974E-6 : f32
    %cst_2 = arith.constant 1.280000e+02 : f32
    %cst_3 = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<1x128xf32>
    %1 = linalg.fill ins(%cst_3 : f32) outs(%0 : tensor<1x128xf32>) -> tensor<1x128xf32>
    %2 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0 : tensor<1x128x128xf32>) outs(%1 : tensor<1x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.addf %out, %in : f32
      linalg.yield %88 : f32
    } -> tensor<1x128xf32>
    %expanded = tensor.expand_shape %2 [[0], [1, 2]] output_shape [1, 128, 1] : tensor<1x128xf32> into tensor<1x128x1xf32>
    %3 = tensor.empty() : tensor<1x128x1xf32>
    %4 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x128x1xf32>) outs(%3 : tensor<1x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.divf %in, %cst_2 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x1xf32>
    %5 = tensor.empty() : tensor<1x128x128xf32>
    %6 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, 0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<1x128x1xf32>) outs(%5 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x128x128xf32>
    %7 = tensor.empty() : tensor<1x128x128xf32>
    %8 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %6 : tensor<1x128x128xf32>, tensor<1x128x128xf32>) outs(%7 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %88 = arith.subf %in, %in_19 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x128xf32>
    %9 = tensor.empty() : tensor<1x128x128xf32>
    %10 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8 : tensor<1x128x128xf32>) outs(%9 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.mulf %in, %in : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x128xf32>
    %11 = tensor.empty() : tensor<1x128xf32>
    %12 = linalg.fill ins(%cst_3 : f32) outs(%11 : tensor<1x128xf32>) -> tensor<1x128xf32>
    %13 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%10 : tensor<1x128x128xf32>) outs(%12 : tensor<1x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.addf %out, %in : f32
      linalg.yield %88 : f32
    } -> tensor<1x128xf32>
    %expanded_4 = tensor.expand_shape %13 [[0], [1, 2]] output_shape [1, 128, 1] : tensor<1x128xf32> into tensor<1x128x1xf32>
    %14 = tensor.empty() : tensor<1x128x1xf32>
    %15 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<1x128x1xf32>) outs(%14 : tensor<1x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.divf %in, %cst_2 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x1xf32>
    %16 = tensor.empty() : tensor<1x128x1xf32>
    %17 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%15 : tensor<1x128x1xf32>) outs(%16 : tensor<1x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = arith.addf %in, %cst_1 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x1xf32>
    %18 = tensor.empty() : tensor<1x128x1xf32>
    %19 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%17 : tensor<1x128x1xf32>) outs(%18 : tensor<1x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %88 = math.rsqrt %in : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x1xf32>
    %20 = tensor.empty() : tensor<1x128x128xf32>
    %21 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, 0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19 : tensor<1x128x1xf32>) outs(%20 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x128x128xf32>
    %22 = tensor.empty() : tensor<1x128x128xf32>
    %23 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %21 : tensor<1x128x128xf32>, tensor<1x128x128xf32>) outs(%22 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %88 = arith.mulf %in, %in_19 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x128xf32>
    %24 = tensor.empty() : tensor<1x128x128xf32>
    %25 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg1 : tensor<128xf32>) outs(%24 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x128x128xf32>
    %26 = tensor.empty() : tensor<1x128x128xf32>
    %27 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23, %25 : tensor<1x128x128xf32>, tensor<1x128x128xf32>) outs(%26 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %88 = arith.mulf %in, %in_19 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x128xf32>
    %28 = tensor.empty() : tensor<1x128x128xf32>
    %29 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg2 : tensor<128xf32>) outs(%28 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x128x128xf32>
    %30 = tensor.empty() : tensor<1x128x128xf32>
    %31 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27, %29 : tensor<1x128x128xf32>, tensor<1x128x128xf32>) outs(%30 : tensor<1x128x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %88 = arith.addf %in, %in_19 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x128xf32>
    %collapsed = tensor.collapse_shape %31 [[0, 1], [2]] : tensor<1x128x128xf32> into tensor<128x128xf32>
    %32 = tensor.empty() : tensor<128x384xf32>
    %33 = linalg.fill ins(%cst_3 : f32) outs(%32 : tensor<128x384xf32>) -> tensor<128x384xf32>
    %34 = linalg.matmul ins(%collapsed, %arg3 : tensor<128x128xf32>, tensor<128x384xf32>) outs(%33 : tensor<128x384xf32>) -> tensor<128x384xf32>
    %expanded_5 = tensor.expand_shape %34 [[0, 1], [2]] output_shape [1, 128, 384] : tensor<128x384xf32> into tensor<1x128x384xf32>
    %35 = tensor.empty() : tensor<1x128x384xf32>
    %36 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg4 : tensor<384xf32>) outs(%35 : tensor<1x128x384xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x128x384xf32>
    %37 = tensor.empty() : tensor<1x128x384xf32>
    %38 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_5, %36 : tensor<1x128x384xf32>, tensor<1x128x384xf32>) outs(%37 : tensor<1x128x384xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %88 = arith.addf %in, %in_19 : f32
      linalg.yield %88 : f32
    } -> tensor<1x128x384xf32>
    %extracted_slice = tensor.extract_slice %38[0, 0, 0] [1, 128, 128] [1, 1, 1] : tensor<1x128x384xf32> to tensor<1x128x128xf32>
    %extracted_slice_6 = tensor.extract_slice %38[0, 0, 128] [1, 128, 128] [1, 1, 1] : tensor<1x128x384xf32> to tensor<1x128x128xf32>
    %extracted_slice_7 = tensor.extract_slice %38[0, 0, 256] [1, 128, 128] [1, 1, 1] : tensor<1x128x384xf32> to tensor<1x128x128xf32>
    %expanded_8 = tensor.expand_shape %extracted_slice [[0], [1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<1x128x128xf32> into tensor<1x128x4x32xf32>
    %expanded_9 = tensor.expand_shape %extracted_slice_6 [[0], [1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<1x128x128xf32> into tensor<1x128x4x32xf32>
    %expanded_10 = tensor.expand_shape %extracted_slice_7 [[0], [1], [2, 3]] output_shape [1, 128, 4, 32] : tensor<1x128x128xf32> into tensor<1x128x4x32xf32>
    %39 = tensor.empty() : tensor<128x128xi32>
    %40 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%39 : tensor<128x128xi32>) {
    ^bb0(%out: i32):
      %88 = linalg.index 0 : index
      %89 = arith.index_cast %88 : index to i32
      linalg.yield %89 : i32
    } -> tensor<128x128xi32>
    %41 = tensor.empty() : tensor<128x128xi32>
    %42 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%41 : tensor<128x128xi32>) {
    ^bb0(%out: i32):
      %88 = linalg.index 1 : index
      %89 = arith.index_cast %88 : index to i32
      linalg.yield %89 : i32
    } -> tensor<128x128xi32>
    %43 = tensor.empty() : tensor<128x128xi1>
    %44 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%40, %42 : tensor<128x128xi32>, tensor<128x128xi32>) outs(%43 : tensor<128x128xi1>) {
    ^bb0(%in: i32, %in_19: i32, %out: i1):
      %88 = arith.cmpi sge, %in, %in_19 : i32
      linalg.yield %88 : i1
    } -> tensor<128x128xi1>
    %45 = tensor.empty() : tensor<1x4x128x32xf32>
    %46 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_8 : tensor<1x128x4x32xf32>) outs(%45 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x4x128x32xf32>
    %47 = tensor.empty() : tensor<1x4x32x128xf32>
    %48 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_9 : tensor<1x128x4x32xf32>) outs(%47 : tensor<1x4x32x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x4x32x128xf32>
    %collapsed_11 = tensor.collapse_shape %46 [[0, 1], [2], [3]] : tensor<1x4x128x32xf32> into tensor<4x128x32xf32>
    %collapsed_12 = tensor.collapse_shape %48 [[0, 1], [2], [3]] : tensor<1x4x32x128xf32> into tensor<4x32x128xf32>
    %49 = tensor.empty() : tensor<4x128x128xf32>
    %50 = linalg.fill ins(%cst_3 : f32) outs(%49 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    %51 = linalg.batch_matmul ins(%collapsed_11, %collapsed_12 : tensor<4x128x32xf32>, tensor<4x32x128xf32>) outs(%50 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    return %51 : tensor<4x128x128xf32>
  }
}
