// What each source of bounds yields, and what looks like one but is none.
// RUN: polyattn-opt %s --attn-infer-bounds=report-results --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i, 0)>
#vec = affine_map<(i, j) -> (i)>
#col = affine_map<(i, j) -> (j)>

// CHECK: Function=constants | High=3, Low=-4, Remark="result 0: elements in [-4, 3], norms of rows at most 5 (constant at bounds-sources.mlir:[[@LINE+2]])", Result=0, RowNorm=5.00000000{{[0-9]+}}
func.func @constants() -> tensor<2x2xf32> {
  %c = arith.constant dense<[[3.0, -4.0], [1.0, 1.0]]> : tensor<2x2xf32>
  return %c : tensor<2x2xf32>
}

// CHECK: Function=resource {{.*}} elements in [-2, 1], norms of rows at most 2.24 (constant
func.func @resource() -> tensor<2xf32> {
  %c = arith.constant dense_resource<two> : tensor<2xf32>
  return %c : tensor<2xf32>
}

// CHECK: Function=splat {{.*}} elements in [0.5, 0.5], norms of rows at most 1 (constant
func.func @splat() -> tensor<3x4xf32> {
  %c = arith.constant dense<0.5> : tensor<3x4xf32>
  return %c : tensor<3x4xf32>
}

// CHECK: Function=argument {{.*}} no bound: nothing is known of argument 0"
func.func @argument(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  return %x : tensor<3x4xf32>
}

// Squares, sum, square root, maximum, quotient.
// CHECK: Function=l2_normalize {{.*}} elements in [-1, 1], norms of rows at most 1 (l2_normalize at bounds-sources.mlir:[[@LINE+19]])", Result=0, RowNorm=1.00000{{[0-9]+}}
func.func @l2_normalize(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %eps = arith.constant 1.0e-12 : f32
  %e = tensor.empty() : tensor<8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x32xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.mulf %in, %in : f32
    %a = arith.addf %out, %s : f32
    linalg.yield %a : f32
  } -> tensor<8xf32>
  %norm = math.sqrt %sum : tensor<8xf32>
  %out = tensor.empty() : tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %norm : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %n: f32, %o: f32):
    %m = arith.maximumf %n, %eps : f32
    %q = arith.divf %in, %m : f32
    linalg.yield %q : f32
  } -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// Without epsilon a row of zeros, or of numbers whose squares underflow, has
// no bound.
// CHECK: Function=no_epsilon {{.*}} no bound: nothing is known of argument 0"
func.func @no_epsilon(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x32xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.mulf %in, %in : f32
    %a = arith.addf %out, %s : f32
    linalg.yield %a : f32
  } -> tensor<8xf32>
  %norm = math.sqrt %sum : tensor<8xf32>
  %out = tensor.empty() : tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %norm : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %n: f32, %o: f32):
    %q = arith.divf %in, %n : f32
    linalg.yield %q : f32
  } -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// The norm of another tensor says nothing, nor that of the columns.
// CHECK: Function=other_tensor {{.*}} no bound: nothing is known of argument 0"
func.func @other_tensor(%x: tensor<8x32xf32>, %z: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %r = func.call @inverse_rms(%z) : (tensor<8x32xf32>) -> tensor<8xf32>
  %y = func.call @times_rows(%x, %r) : (tensor<8x32xf32>, tensor<8xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// CHECK: Function=inverse_rms {{.*}} elements in [0, 1e+03]
func.func private @inverse_rms(%x: tensor<8x32xf32>) -> tensor<8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant dense<32.0> : tensor<8xf32>
  %eps = arith.constant dense<1.0e-6> : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x32xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.mulf %in, %in : f32
    %a = arith.addf %out, %s : f32
    linalg.yield %a : f32
  } -> tensor<8xf32>
  %mean = arith.divf %sum, %count : tensor<8xf32>
  %safe = arith.addf %mean, %eps : tensor<8xf32>
  %r = math.rsqrt %safe : tensor<8xf32>
  return %r : tensor<8xf32>
}

func.func private @times_rows(%x: tensor<8x32xf32>, %r: tensor<8xf32>) -> tensor<8x32xf32> {
  %out = tensor.empty() : tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %n: f32, %o: f32):
    %q = arith.mulf %in, %n : f32
    linalg.yield %q : f32
  } -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// A gain that is an argument may be anything.
// CHECK: Function=unknown_gain {{.*}} no bound: nothing is known of argument 1"
// CHECK: Function=unknown_gain {{.*}} norms of rows at most 5.66 (rms_norm at bounds-sources.mlir:[[@LINE+7]])
func.func @unknown_gain(%x: tensor<8x32xf32>, %gain: tensor<8x32xf32>) -> (tensor<8x32xf32>, tensor<8x32xf32>) {
  %r = func.call @inverse_rms_of(%x) : (tensor<8x32xf32>) -> tensor<8xf32>
  %out = tensor.empty() : tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %n: f32, %o: f32):
    %q = arith.mulf %in, %n : f32
    linalg.yield %q : f32
  } -> tensor<8x32xf32>
  %z = arith.mulf %y, %gain : tensor<8x32xf32>
  return %z, %y : tensor<8x32xf32>, tensor<8x32xf32>
}

func.func private @inverse_rms_of(%x: tensor<8x32xf32>) -> tensor<8xf32> {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant dense<0.03125> : tensor<8xf32>
  %eps = arith.constant dense<1.0e-6> : tensor<8xf32>
  %two = arith.constant 2 : i32
  %e = tensor.empty() : tensor<8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x32xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = math.fpowi %in, %two : f32, i32
    %a = arith.addf %s, %out : f32
    linalg.yield %a : f32
  } -> tensor<8xf32>
  %mean = arith.mulf %sum, %scale : tensor<8xf32>
  %safe = arith.addf %mean, %eps : tensor<8xf32>
  %r = math.rsqrt %safe : tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK: Function=clamp {{.*}} elements in [-2, 3], norms of rows at most 6 (arith.minimumf
func.func @clamp(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %lo = arith.constant dense<-2.0> : tensor<8x4xf32>
  %hi = arith.constant dense<3.0> : tensor<8x4xf32>
  %a = arith.maximumf %x, %lo : tensor<8x4xf32>
  %b = arith.minimumf %a, %hi : tensor<8x4xf32>
  return %b : tensor<8x4xf32>
}

// A maximum alone bounds nothing from above.
// CHECK: Function=half_clamp {{.*}} no bound: nothing is known of argument 0"
func.func @half_clamp(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %lo = arith.constant dense<-2.0> : tensor<8x4xf32>
  %a = arith.maximumf %x, %lo : tensor<8x4xf32>
  return %a : tensor<8x4xf32>
}

// Comparison and choice, and the exponential after it.
// CHECK: Function=logit_scale {{.*}} elements in [0, 100], norms of rows at most 100 (math.exp
func.func @logit_scale(%x: tensor<4x1xf32>) -> tensor<4x1xf32> {
  %max = arith.constant 4.6051702 : f32
  %out = tensor.empty() : tensor<4x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x1xf32>) outs(%out : tensor<4x1xf32>) {
  ^bb0(%in: f32, %o: f32):
    %c = arith.cmpf ugt, %in, %max : f32
    %s = arith.select %c, %max, %in : f32
    %e = math.exp %s : f32
    linalg.yield %e : f32
  } -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// The same comparison the other way round is a maximum.
// CHECK: Function=wrong_way {{.*}} no bound
func.func @wrong_way(%x: tensor<4x1xf32>) -> tensor<4x1xf32> {
  %max = arith.constant 4.6051702 : f32
  %out = tensor.empty() : tensor<4x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x1xf32>) outs(%out : tensor<4x1xf32>) {
  ^bb0(%in: f32, %o: f32):
    %c = arith.cmpf ult, %in, %max : f32
    %s = arith.select %c, %max, %in : f32
    %e = math.exp %s : f32
    linalg.yield %e : f32
  } -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// CHECK: Function=soft_cap {{.*}} elements in [-50, 50], norms of rows at most 100 (math.tanh at {{.*}}, then arith.mulf
func.func @soft_cap(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %cap = arith.constant dense<50.0> : tensor<8x4xf32>
  %a = arith.divf %x, %cap : tensor<8x4xf32>
  %b = math.tanh %a : tensor<8x4xf32>
  %c = arith.mulf %b, %cap : tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}

// CHECK: Function=sigmoid {{.*}} elements in [0, 1], norms of rows at most 2 (arith.divf
// CHECK: Function=sigmoid {{.*}} elements in [0, 1], norms of rows at most 2 (tosa.sigmoid
func.func @sigmoid(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %one = arith.constant dense<1.0> : tensor<8x4xf32>
  %n = arith.negf %x : tensor<8x4xf32>
  %e = math.exp %n : tensor<8x4xf32>
  %p = arith.addf %e, %one : tensor<8x4xf32>
  %s = arith.divf %one, %p : tensor<8x4xf32>
  %t = tosa.sigmoid %x : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return %s, %t : tensor<8x4xf32>, tensor<8x4xf32>
}

// Rows of a softmax sum to 1, so their l2 norm is at most 1 as well, and so is
// what they make of values in [-1, 1].
// CHECK: Function=softmax {{.*}} elements in [0, 1], norms of rows at most 1 (math.exp at {{.*}}, then softmax at bounds-sources.mlir:[[@LINE+31]])
// CHECK: Function=softmax {{.*}} elements in [-1, 1], norms of rows at most 2 (math.exp at {{.*}}, then softmax at {{.*}}, then linalg.matmul
func.func @softmax(%x: tensor<8x32xf32>, %v: tensor<32x4xf32>) -> (tensor<8x32xf32>, tensor<8x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<8xf32>
  %out = tensor.empty() : tensor<8x32xf32>
  %init = linalg.fill ins(%low : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %max = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x32xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %m = arith.maximumf %in, %o : f32
    linalg.yield %m : f32
  } -> tensor<8xf32>
  %exp = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %m: f32, %o: f32):
    %d = arith.subf %in, %m : f32
    %w = math.exp %d : f32
    linalg.yield %w : f32
  } -> tensor<8x32xf32>
  %init0 = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #vec], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<8x32xf32>) outs(%init0 : tensor<8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %m = arith.addf %in, %o : f32
    linalg.yield %m : f32
  } -> tensor<8xf32>
  %p = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<8x32xf32>, tensor<8xf32>) outs(%out : tensor<8x32xf32>) {
  ^bb0(%in: f32, %s: f32, %o: f32):
    %w = arith.divf %in, %s : f32
    linalg.yield %w : f32
  } -> tensor<8x32xf32>
  %v1 = math.tanh %v : tensor<32x4xf32>
  %e2 = tensor.empty() : tensor<8x4xf32>
  %o0 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8x4xf32>) -> tensor<8x4xf32>
  %o = linalg.matmul ins(%p, %v1 : tensor<8x32xf32>, tensor<32x4xf32>) outs(%o0 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %p, %o : tensor<8x32xf32>, tensor<8x4xf32>
}

// Exponentials without the maximum, and a maximum over other rows.
// CHECK: Function=plain_exp {{.*}} no bound: nothing is known of argument 0"
func.func @plain_exp(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %e = math.exp %x : tensor<8x32xf32>
  return %e : tensor<8x32xf32>
}

// (-infinity)^0.5 is infinite; a root of something that is not negative is fine.
// CHECK: Function=roots {{.*}}result 0: no bound
// CHECK: Function=roots {{.*}}result 1: elements in [0, 1],
func.func @roots(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %half = arith.constant dense<0.5> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %a = arith.minimumf %x, %one : tensor<4xf32>
  %r = math.powf %a, %half : tensor<4xf32>
  %t = tosa.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %s = math.powf %t, %half : tensor<4xf32>
  return %r, %s : tensor<4xf32>, tensor<4xf32>
}

// CHECK: Function=unknown_op {{.*}} no bound: no bound follows from math.log at bounds-sources.mlir:[[@LINE+3]]"
func.func @unknown_op() -> tensor<4xf32> {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %l = math.log %c : tensor<4xf32>
  return %l : tensor<4xf32>
}

// What only holds under a licence to reassociate or approximate is not used.
// CHECK: Function=fast_math {{.*}} no bound: no bound follows from math.tanh
func.func @fast_math() -> tensor<4xf32> {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %l = math.tanh %c fastmath<afn> : tensor<4xf32>
  return %l : tensor<4xf32>
}

{-#
  dialect_resources: {
    builtin: { two: "0x040000000000803F000000C0" }
  }
#-}
