// What is left to vector loops, or to scalar ones, and why.
// RUN: polyattn-opt %s -attn-lower-contractions -remarks-filter=polyattn 2>&1 | FileCheck %s

// CHECK: Missed{{.*}}no register blocks for 'linalg.matmul': its element type is neither f32, f16 nor bf16
// CHECK: Missed{{.*}}no register blocks for 'linalg.dot': its result is a single number
// CHECK: Missed{{.*}}no register blocks for 'linalg.generic': its innermost dimension is one of both operands
// CHECK: Missed{{.*}}no register blocks for 'linalg.generic': neither rows nor columns of an operand are adjacent in memory
// CHECK: Missed{{.*}}no register blocks for 'linalg.conv_1d': an operand is indexed by more than single loops
// CHECK: Missed{{.*}}no register blocks for 'linalg.conv_2d_nchw_fchw': an operand is indexed by more than single loops
// CHECK: Missed{{.*}}no register blocks for 'linalg.generic': it selects otherwise than rows choose matrices
// CHECK-NOT: remark:

// CHECK-LABEL: func.func @f64
// CHECK: linalg.matmul
func.func @f64(%a: tensor<4x4xf64>) -> tensor<4x4xf64> {
  %m = linalg.matmul ins(%a, %a : tensor<4x4xf64>, tensor<4x4xf64>) outs(%a : tensor<4x4xf64>) -> tensor<4x4xf64>
  return %m : tensor<4x4xf64>
}

// CHECK-LABEL: func.func @dot
func.func @dot(%a: tensor<4xf32>, %o: tensor<f32>) -> tensor<f32> {
  %m = linalg.dot ins(%a, %a : tensor<4xf32>, tensor<4xf32>) outs(%o : tensor<f32>) -> tensor<f32>
  return %m : tensor<f32>
}

// CHECK-LABEL: func.func @batch_innermost
func.func @batch_innermost(%a: tensor<4x6x8xf32>, %b: tensor<6x5x8xf32>, %o: tensor<4x5x8xf32>) -> tensor<4x5x8xf32> {
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, b, k) -> (i, k, b)>, affine_map<(i, j, b, k) -> (k, j, b)>, affine_map<(i, j, b, k) -> (i, j, b)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x6x8xf32>, tensor<6x5x8xf32>) outs(%o : tensor<4x5x8xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %x = arith.mulf %p, %q : f32
    %s = arith.addf %r, %x : f32
    linalg.yield %s : f32
  } -> tensor<4x5x8xf32>
  return %m : tensor<4x5x8xf32>
}

// CHECK-LABEL: func.func @batch_innermost_of_one
func.func @batch_innermost_of_one(%a: tensor<8x4x6xf32>, %b: tensor<6x5x8xf32>, %o: tensor<8x4x5xf32>) -> tensor<8x4x5xf32> {
  %m = linalg.generic {indexing_maps = [affine_map<(b, i, j, k) -> (b, i, k)>, affine_map<(b, i, j, k) -> (k, j, b)>, affine_map<(b, i, j, k) -> (b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<8x4x6xf32>, tensor<6x5x8xf32>) outs(%o : tensor<8x4x5xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %x = arith.mulf %p, %q : f32
    %s = arith.addf %r, %x : f32
    linalg.yield %s : f32
  } -> tensor<8x4x5xf32>
  return %m : tensor<8x4x5xf32>
}

// CHECK-LABEL: func.func @convolution
func.func @convolution(%a: tensor<20xf32>, %b: tensor<3xf32>, %o: tensor<18xf32>) -> tensor<18xf32> {
  %m = linalg.conv_1d ins(%a, %b : tensor<20xf32>, tensor<3xf32>) outs(%o : tensor<18xf32>) -> tensor<18xf32>
  return %m : tensor<18xf32>
}

// No product of two inputs, so no remark: a negated one, a difference, integers.
// Loops that reduce are not joined either.
// CHECK-LABEL: func.func @patches
// CHECK: linalg.conv_2d_nchw_fchw
func.func @patches(%x: tensor<1x3x32x32xf32>, %w: tensor<8x3x8x8xf32>, %o: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
  %r = linalg.conv_2d_nchw_fchw {strides = dense<8> : vector<2xi64>}
      ins(%x, %w : tensor<1x3x32x32xf32>, tensor<8x3x8x8xf32>) outs(%o : tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  return %r : tensor<1x8x4x4xf32>
}

// CHECK-LABEL: func.func @others
// CHECK-COUNT-2: linalg.generic
// CHECK: linalg.matmul
func.func @others(%a: tensor<4x4xf32>, %i: tensor<4x4xi32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xi32>) {
  %n = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.negf %p : f32
    %x = arith.mulf %m, %q : f32
    %s = arith.addf %r, %x : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %x = arith.mulf %p, %q : f32
    %s = arith.subf %r, %x : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %z = linalg.matmul ins(%i, %i : tensor<4x4xi32>, tensor<4x4xi32>) outs(%i : tensor<4x4xi32>) -> tensor<4x4xi32>
  return %n, %d, %z : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xi32>
}

// Columns, not rows, choose; and a selection of what is not greater is none.
// CHECK-LABEL: func.func @columns_choose
// CHECK: linalg.generic
func.func @columns_choose(%a: tensor<3x100x38xf32>, %b: tensor<38x64xf32>, %choices: tensor<64xi32>, %f: tensor<100x64xf32>) -> tensor<100x64xf32> {
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k, l) -> (l, i, k)>, affine_map<(i, j, k, l) -> (k, j)>, affine_map<(i, j, k, l) -> (j)>, affine_map<(i, j, k, l) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %b, %choices : tensor<3x100x38xf32>, tensor<38x64xf32>, tensor<64xi32>) outs(%f : tensor<100x64xf32>) {
  ^bb0(%x: f32, %y: f32, %i: i32, %o: f32):
    %l = linalg.index 3 : index
    %which = arith.index_cast %i : i32 to index
    %same = arith.cmpi eq, %l, %which : index
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    %r = arith.select %same, %s, %o : f32
    linalg.yield %r : f32
  } -> tensor<100x64xf32>
  return %m : tensor<100x64xf32>
}

// CHECK-LABEL: func.func @selects_less
// CHECK: linalg.generic
func.func @selects_less(%a: tensor<100x38xf32>, %b: tensor<3x38x64xf32>, %choices: tensor<100xi32>, %f: tensor<100x64xf32>) -> tensor<100x64xf32> {
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k, l) -> (i, k)>, affine_map<(i, j, k, l) -> (l, k, j)>, affine_map<(i, j, k, l) -> (i)>, affine_map<(i, j, k, l) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%a, %b, %choices : tensor<100x38xf32>, tensor<3x38x64xf32>, tensor<100xi32>) outs(%f : tensor<100x64xf32>) {
  ^bb0(%x: f32, %y: f32, %i: i32, %o: f32):
    %l = linalg.index 3 : index
    %which = arith.index_cast %i : i32 to index
    %same = arith.cmpi sle, %l, %which : index
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    %r = arith.select %same, %s, %o : f32
    linalg.yield %r : f32
  } -> tensor<100x64xf32>
  return %m : tensor<100x64xf32>
}
