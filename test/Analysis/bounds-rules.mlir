// What survives on the way from a source to where it is used.
// RUN: polyattn-opt %s --attn-infer-bounds=report-results --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#col = affine_map<(i, j) -> (j)>

// Elements in [-1, 1]: rows of 4 have norms up to 2, columns of 9 up to 3.
// CHECK: Function=transposed {{.*}} norms of rows at most 3 (math.tanh
func.func @transposed(%x: tensor<9x4xf32>) -> tensor<4x9xf32> {
  %t = math.tanh %x : tensor<9x4xf32>
  %e = tensor.empty() : tensor<4x9xf32>
  %r = linalg.transpose ins(%t : tensor<9x4xf32>) outs(%e : tensor<4x9xf32>) permutation = [1, 0]
  return %r : tensor<4x9xf32>
}

// A norm that intervals do not give: rows of softmax, under every layout.
// CHECK: Function=layouts {{.*}}result 0: {{.*}} norms of rows at most 1 (softmax
// CHECK: Function=layouts {{.*}}result 1: {{.*}} norms of rows at most 1 (softmax
// CHECK: Function=layouts {{.*}}result 2: {{.*}} norms of rows at most 1.41 (softmax
// CHECK: Function=layouts {{.*}}result 3: {{.*}} norms of rows at most 1 (softmax
// CHECK: Function=layouts {{.*}}result 4: {{.*}} norms of rows at most 1.41 (softmax
// CHECK: Function=layouts {{.*}}result 5: {{.*}} norms of rows at most 1 (softmax
func.func @layouts(%x: tensor<6x8xf32>) -> (tensor<6x2x4xf32>, tensor<2x6x4xf32>, tensor<3x16xf32>, tensor<6x3xf32>, tensor<6x16xf32>, tensor<5x6x8xf32>) {
  %e = tensor.empty() : tensor<6x8xf32>
  %s = linalg.softmax dimension(1) ins(%x : tensor<6x8xf32>) outs(%e : tensor<6x8xf32>) -> tensor<6x8xf32>
  %heads = tensor.expand_shape %s [[0], [1, 2]] output_shape [6, 2, 4] : tensor<6x8xf32> into tensor<6x2x4xf32>
  %e1 = tensor.empty() : tensor<2x6x4xf32>
  %turned = linalg.transpose ins(%heads : tensor<6x2x4xf32>) outs(%e1 : tensor<2x6x4xf32>) permutation = [1, 0, 2]
  %split = tensor.expand_shape %s [[0, 1], [2]] output_shape [3, 2, 8] : tensor<6x8xf32> into tensor<3x2x8xf32>
  %merged = tensor.collapse_shape %split [[0], [1, 2]] : tensor<3x2x8xf32> into tensor<3x16xf32>
  %slice = tensor.extract_slice %s[0, 2] [6, 3] [1, 2] : tensor<6x8xf32> to tensor<6x3xf32>
  %both = tensor.concat dim(1) %s, %s : (tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<6x16xf32>
  %e2 = tensor.empty() : tensor<5x6x8xf32>
  %repeated = linalg.broadcast ins(%s : tensor<6x8xf32>) outs(%e2 : tensor<5x6x8xf32>) dimensions = [0]
  return %heads, %turned, %merged, %slice, %both, %repeated : tensor<6x2x4xf32>, tensor<2x6x4xf32>, tensor<3x16xf32>, tensor<6x3xf32>, tensor<6x16xf32>, tensor<5x6x8xf32>
}

// The same in TOSA.
// CHECK: Function=tosa_layouts {{.*}}result 0: {{.*}} norms of rows at most 2 (tosa.tanh
// CHECK: Function=tosa_layouts {{.*}}result 1: {{.*}} norms of rows at most 1.41 (tosa.tanh
// CHECK: Function=tosa_layouts {{.*}}result 2: elements in [-4, 4], {{.*}} (tosa.tanh at {{.*}}, then tosa.matmul
func.func @tosa_layouts(%x: tensor<1x2x4xf32>) -> (tensor<1x2x4xf32>, tensor<1x4x2xf32>, tensor<1x2x2xf32>) {
  %t = tosa.tanh %x : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %r = tosa.transpose %t {perms = array<i32: 0, 2, 1>} : (tensor<1x2x4xf32>) -> tensor<1x4x2xf32>
  %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %p = tosa.matmul %t, %r, %z, %z : (tensor<1x2x4xf32>, tensor<1x4x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x2x2xf32>
  return %t, %r, %p : tensor<1x2x4xf32>, tensor<1x4x2xf32>, tensor<1x2x2xf32>
}

// Rows of norm up to sqrt(2), times a matrix of norm sqrt(2): intervals alone
// say sqrt(8).
// CHECK: Function=projected {{.*}} elements in [-2, 2], norms of rows at most 2 (math.tanh at {{.*}}, then product with a constant matrix
func.func @projected(%x: tensor<6x2xf32>) -> tensor<6x2xf32> {
  %w = arith.constant dense<[[1.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<6x2xf32>
  %s = math.tanh %x : tensor<6x2xf32>
  %zero = arith.constant 0.0 : f32
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<6x2xf32>) -> tensor<6x2xf32>
  %y = linalg.matmul ins(%s, %w : tensor<6x2xf32>, tensor<2x2xf32>) outs(%i : tensor<6x2xf32>) -> tensor<6x2xf32>
  return %y : tensor<6x2xf32>
}

// A rotation keeps norms; the same with the halves the wrong way round, or the
// sine of another table, does not.
// CHECK: Function=rotated {{.*}}result 0: {{.*}} norms of rows at most 1 ({{.*}}rotation
// CHECK: Function=rotated {{.*}}result 1: {{.*}} norms of rows at most 1.93 (
func.func @rotated(%x: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x4xf32>) {
  %cos = arith.constant dense<[0.6, 0.8, 0.6, 0.8]> : tensor<4xf32>
  %sin = arith.constant dense<[0.8, 0.6, 0.8, 0.6]> : tensor<4xf32>
  %e = tensor.empty() : tensor<6x4xf32>
  %s = linalg.softmax dimension(1) ins(%x : tensor<6x4xf32>) outs(%e : tensor<6x4xf32>) -> tensor<6x4xf32>
  %a = tensor.extract_slice %s[0, 0] [6, 2] [1, 1] : tensor<6x4xf32> to tensor<6x2xf32>
  %b = tensor.extract_slice %s[0, 2] [6, 2] [1, 1] : tensor<6x4xf32> to tensor<6x2xf32>
  %n = arith.negf %b : tensor<6x2xf32>
  %turned = tensor.concat dim(1) %n, %a : (tensor<6x2xf32>, tensor<6x2xf32>) -> tensor<6x4xf32>
  %r = func.call @rotate(%s, %turned, %cos, %sin) : (tensor<6x4xf32>, tensor<6x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<6x4xf32>
  %wrong = tensor.concat dim(1) %b, %a : (tensor<6x2xf32>, tensor<6x2xf32>) -> tensor<6x4xf32>
  %p = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %cos : tensor<6x4xf32>, tensor<4xf32>) outs(%e : tensor<6x4xf32>) {
  ^bb0(%i: f32, %c: f32, %o: f32):
    %m = arith.mulf %i, %c : f32
    linalg.yield %m : f32
  } -> tensor<6x4xf32>
  %q = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%wrong, %sin : tensor<6x4xf32>, tensor<4xf32>) outs(%e : tensor<6x4xf32>) {
  ^bb0(%i: f32, %c: f32, %o: f32):
    %m = arith.mulf %i, %c : f32
    linalg.yield %m : f32
  } -> tensor<6x4xf32>
  %w = arith.addf %p, %q : tensor<6x4xf32>
  return %r, %w : tensor<6x4xf32>, tensor<6x4xf32>
}

func.func private @rotate(%x: tensor<6x4xf32>, %turned: tensor<6x4xf32>, %cos: tensor<4xf32>, %sin: tensor<4xf32>) -> tensor<6x4xf32> {
  %e = tensor.empty() : tensor<6x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #col, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %turned, %cos, %sin : tensor<6x4xf32>, tensor<6x4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<6x4xf32>) {
  ^bb0(%i: f32, %t: f32, %c: f32, %s: f32, %o: f32):
    %p = arith.mulf %i, %c : f32
    %q = arith.mulf %t, %s : f32
    %m = arith.addf %p, %q : f32
    linalg.yield %m : f32
  } -> tensor<6x4xf32>
  return %r : tensor<6x4xf32>
}

// One function, called with two ranges: both hold.
// CHECK: Function=calls {{.*}} elements in [2, 4],
func.func @calls() -> tensor<2xf32> {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<2.0> : tensor<2xf32>
  %x = func.call @twice(%a) : (tensor<2xf32>) -> tensor<2xf32>
  %y = func.call @twice(%b) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
func.func private @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = arith.addf %x, %x : tensor<2xf32>
  return %y : tensor<2xf32>
}

// Whichever branch is taken; a loop that keeps its range; one that does not.
// CHECK: Function=branches {{.*}} elements in [-1, 5],
func.func @branches(%c: i1, %x: tensor<2xf32>) -> tensor<2xf32> {
  %r = scf.if %c -> tensor<2xf32> {
    %t = math.tanh %x : tensor<2xf32>
    scf.yield %t : tensor<2xf32>
  } else {
    %k = arith.constant dense<5.0> : tensor<2xf32>
    scf.yield %k : tensor<2xf32>
  }
  return %r : tensor<2xf32>
}

// CHECK: Function=loops {{.*}}result 0: elements in [-1, 1],
// CHECK: Function=loops {{.*}}result 1: no bound
func.func @loops(%n: index) -> (tensor<2xf32>, tensor<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %k = arith.constant dense<1.0> : tensor<2xf32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %k, %b = %k) -> (tensor<2xf32>, tensor<2xf32>) {
    %s = arith.addf %a, %b : tensor<2xf32>
    %t = math.tanh %s : tensor<2xf32>
    %u = arith.addf %b, %b : tensor<2xf32>
    scf.yield %t, %u : tensor<2xf32>, tensor<2xf32>
  }
  return %r#0, %r#1 : tensor<2xf32>, tensor<2xf32>
}

// Casts round; what does not fit becomes infinite.
// CHECK: Function=casts | High=0.10003662109375, Low=0.0999755859375,
// CHECK: Function=casts {{.*}}result 1: no bound
func.func @casts() -> (tensor<2xf16>, tensor<2xf16>) {
  %a = arith.constant dense<0.1> : tensor<2xf32>
  %b = arith.constant dense<1.0e6> : tensor<2xf32>
  %x = arith.truncf %a : tensor<2xf32> to tensor<2xf16>
  %y = arith.truncf %b : tensor<2xf32> to tensor<2xf16>
  return %x, %y : tensor<2xf16>, tensor<2xf16>
}

// A body that reads what has been accumulated so far in another way than by
// adding to it is not a sum.
// CHECK: Function=no_sum {{.*}} no bound
func.func @no_sum() -> tensor<f32> {
  %k = arith.constant dense<1.0> : tensor<4xf32>
  %zero = arith.constant dense<0.5> : tensor<f32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%k : tensor<4xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%i: f32, %o: f32):
    %p = arith.mulf %i, %o : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %r : tensor<f32>
}
