// Options of attn-raise, and what rows without any key mean. test/Raise has the spellings.
//
// RUN: polyattn-opt %s --attn-raise | FileCheck %s
// RUN: polyattn-opt %s --attn-raise=reassociate=false | FileCheck %s --check-prefix=STRICT
// RUN: polyattn-opt %s --attn-raise=assume-rows-attend | FileCheck %s --check-prefix=ATTEND
// RUN: polyattn-opt %s --attn-raise=reassociate=false --remarks-filter=polyattn 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=REMARK

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#key = affine_map<(d0, d1) -> (d1)>
#scores = affine_map<(d0, d1, d2) -> (d0, d1)>
#q = affine_map<(d0, d1, d2) -> (d0, d2)>
#k = affine_map<(d0, d1, d2) -> (d1, d2)>
#v = affine_map<(d0, d1, d2) -> (d2, d1)>

// The op divides after the second product, as this program does.
//
// CHECK-LABEL: func.func @late
// CHECK: attn.attention %arg0, %arg1, %arg2 scale 5.000000e-01 nan_rows :
// CHECK-NOT: math.exp
// STRICT-LABEL: func.func @late
// STRICT: attn.attention
func.func @late(%q: tensor<6x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>) -> tensor<6x3xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %fill = arith.constant -3.40282347E+38 : f32
  %half = arith.constant 0.5 : f32
  %s_empty = tensor.empty() : tensor<6x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8xf32>) -> tensor<6x8xf32>
  %products = linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<6x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %scaled_init = tensor.empty() : tensor<6x8xf32>
  %scaled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%products : tensor<6x8xf32>) outs(%scaled_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %r_empty = tensor.empty() : tensor<6xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %maxima = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%scaled : tensor<6x8xf32>) outs(%r_least : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %weights_init = tensor.empty() : tensor<6x8xf32>
  %weights = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%scaled, %maxima : tensor<6x8xf32>, tensor<6xf32>) outs(%weights_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<6x8xf32>) outs(%r_zero : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %o_empty = tensor.empty() : tensor<6x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x3xf32>) -> tensor<6x3xf32>
  %values = linalg.generic {indexing_maps = [#q, #v, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<6x8xf32>, tensor<8x3xf32>) outs(%o_zero : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x3xf32>
  %divided_init = tensor.empty() : tensor<6x3xf32>
  %divided = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%values, %sums : tensor<6x3xf32>, tensor<6xf32>) outs(%divided_init : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<6x3xf32>
  return %divided : tensor<6x3xf32>
}

// CHECK-LABEL: func.func @early
// CHECK: attn.attention %arg0, %arg1, %arg2 scale 5.000000e-01 nan_rows :
// STRICT-LABEL: func.func @early
// STRICT-NOT: attn.attention
// REMARK-DAG: NotRaised{{.*}}Function=early{{.*}}weights are divided by their sum before the second product, and reassociate=false forbids to move that
func.func @early(%q: tensor<6x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>) -> tensor<6x3xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %fill = arith.constant -3.40282347E+38 : f32
  %half = arith.constant 0.5 : f32
  %s_empty = tensor.empty() : tensor<6x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8xf32>) -> tensor<6x8xf32>
  %products = linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<6x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %scaled_init = tensor.empty() : tensor<6x8xf32>
  %scaled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%products : tensor<6x8xf32>) outs(%scaled_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %r_empty = tensor.empty() : tensor<6xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %maxima = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%scaled : tensor<6x8xf32>) outs(%r_least : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %weights_init = tensor.empty() : tensor<6x8xf32>
  %weights = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%scaled, %maxima : tensor<6x8xf32>, tensor<6xf32>) outs(%weights_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<6x8xf32>) outs(%r_zero : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %shares_init = tensor.empty() : tensor<6x8xf32>
  %shares = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%weights, %sums : tensor<6x8xf32>, tensor<6xf32>) outs(%shares_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %o_empty = tensor.empty() : tensor<6x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x3xf32>) -> tensor<6x3xf32>
  %values = linalg.generic {indexing_maps = [#q, #v, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%shares, %v : tensor<6x8xf32>, tensor<8x3xf32>) outs(%o_zero : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x3xf32>
  return %values : tensor<6x3xf32>
}

// CHECK-LABEL: func.func @scaled_queries
// CHECK: attn.attention %arg0, %arg1, %arg2 scale 5.000000e-01 nan_rows :
// STRICT-LABEL: func.func @scaled_queries
// STRICT-NOT: attn.attention
// REMARK-DAG: NotRaised{{.*}}Function=scaled_queries{{.*}}queries or keys are scaled before their product, and reassociate=false forbids to move that
func.func @scaled_queries(%q: tensor<6x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>) -> tensor<6x3xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %fill = arith.constant -3.40282347E+38 : f32
  %half = arith.constant 0.5 : f32
  %scaled_q_init = tensor.empty() : tensor<6x4xf32>
  %scaled_q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q : tensor<6x4xf32>) outs(%scaled_q_init : tensor<6x4xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<6x4xf32>
  %s_empty = tensor.empty() : tensor<6x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8xf32>) -> tensor<6x8xf32>
  %products = linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%scaled_q, %k : tensor<6x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_empty = tensor.empty() : tensor<6xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %maxima = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%products : tensor<6x8xf32>) outs(%r_least : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %weights_init = tensor.empty() : tensor<6x8xf32>
  %weights = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%products, %maxima : tensor<6x8xf32>, tensor<6xf32>) outs(%weights_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<6x8xf32>) outs(%r_zero : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %o_empty = tensor.empty() : tensor<6x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x3xf32>) -> tensor<6x3xf32>
  %values = linalg.generic {indexing_maps = [#q, #v, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%weights, %v : tensor<6x8xf32>, tensor<8x3xf32>) outs(%o_zero : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x3xf32>
  %divided_init = tensor.empty() : tensor<6x3xf32>
  %divided = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%values, %sums : tensor<6x3xf32>, tensor<6xf32>) outs(%divided_init : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<6x3xf32>
  return %divided : tensor<6x3xf32>
}

// A row without any key is NaN in the program, and in the op.
//
// CHECK-LABEL: func.func @padding
// CHECK: attn.attention {{.*}} key_weights(%{{.*}} : tensor<8xf32>) scale 5.000000e-01 nan_rows :
// ATTEND-LABEL: func.func @padding
// ATTEND: attn.attention {{.*}} key_weights(%{{.*}} : tensor<8xf32>) scale
func.func @padding(%q: tensor<6x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>, %mask: tensor<8xi1>) -> tensor<6x3xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %fill = arith.constant -3.40282347E+38 : f32
  %half = arith.constant 0.5 : f32
  %s_empty = tensor.empty() : tensor<6x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8xf32>) -> tensor<6x8xf32>
  %products = linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<6x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %scaled_init = tensor.empty() : tensor<6x8xf32>
  %scaled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%products : tensor<6x8xf32>) outs(%scaled_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %masked_init = tensor.empty() : tensor<6x8xf32>
  %masked = linalg.generic {indexing_maps = [#key, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%mask, %scaled : tensor<8xi1>, tensor<6x8xf32>) outs(%masked_init : tensor<6x8xf32>) {
  ^bb0(%a0: i1, %a1: f32, %acc: f32):
    %x = arith.select %a0, %a1, %least : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %r_empty = tensor.empty() : tensor<6xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %maxima = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%masked : tensor<6x8xf32>) outs(%r_least : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %weights_init = tensor.empty() : tensor<6x8xf32>
  %weights = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%masked, %maxima : tensor<6x8xf32>, tensor<6xf32>) outs(%weights_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<6x8xf32>) outs(%r_zero : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %shares_init = tensor.empty() : tensor<6x8xf32>
  %shares = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%weights, %sums : tensor<6x8xf32>, tensor<6xf32>) outs(%shares_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %o_empty = tensor.empty() : tensor<6x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x3xf32>) -> tensor<6x3xf32>
  %values = linalg.generic {indexing_maps = [#q, #v, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%shares, %v : tensor<6x8xf32>, tensor<8x3xf32>) outs(%o_zero : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x3xf32>
  return %values : tensor<6x3xf32>
}

// A row without any key is the mean of all values: weights of 0 would say otherwise.
//
// CHECK-LABEL: func.func @padding_finite
// CHECK: attn.attention {{.*}} bias(%{{.*}} : tensor<1x8xf32>) scale
// ATTEND-LABEL: func.func @padding_finite
// ATTEND: attn.attention {{.*}} key_weights(%{{.*}} : tensor<8xf32>) scale
func.func @padding_finite(%q: tensor<6x4xf32>, %k: tensor<8x4xf32>, %v: tensor<8x3xf32>, %mask: tensor<8xi1>) -> tensor<6x3xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %fill = arith.constant -3.40282347E+38 : f32
  %half = arith.constant 0.5 : f32
  %s_empty = tensor.empty() : tensor<6x8xf32>
  %s_zero = linalg.fill ins(%zero : f32) outs(%s_empty : tensor<6x8xf32>) -> tensor<6x8xf32>
  %products = linalg.generic {indexing_maps = [#q, #k, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<6x4xf32>, tensor<8x4xf32>) outs(%s_zero : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %scaled_init = tensor.empty() : tensor<6x8xf32>
  %scaled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%products : tensor<6x8xf32>) outs(%scaled_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.mulf %a0, %half : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %masked_init = tensor.empty() : tensor<6x8xf32>
  %masked = linalg.generic {indexing_maps = [#key, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%mask, %scaled : tensor<8xi1>, tensor<6x8xf32>) outs(%masked_init : tensor<6x8xf32>) {
  ^bb0(%a0: i1, %a1: f32, %acc: f32):
    %x = arith.select %a0, %a1, %fill : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %r_empty = tensor.empty() : tensor<6xf32>
  %r_least = linalg.fill ins(%least : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %maxima = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%masked : tensor<6x8xf32>) outs(%r_least : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.maximumf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %weights_init = tensor.empty() : tensor<6x8xf32>
  %weights = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%masked, %maxima : tensor<6x8xf32>, tensor<6xf32>) outs(%weights_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.subf %a0, %a1 : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<6x8xf32>
  %r_zero = linalg.fill ins(%zero : f32) outs(%r_empty : tensor<6xf32>) -> tensor<6xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%weights : tensor<6x8xf32>) outs(%r_zero : tensor<6xf32>) {
  ^bb0(%a0: f32, %acc: f32):
    %x = arith.addf %a0, %acc : f32
    linalg.yield %x : f32
  } -> tensor<6xf32>
  %shares_init = tensor.empty() : tensor<6x8xf32>
  %shares = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%weights, %sums : tensor<6x8xf32>, tensor<6xf32>) outs(%shares_init : tensor<6x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.divf %a0, %a1 : f32
    linalg.yield %x : f32
  } -> tensor<6x8xf32>
  %o_empty = tensor.empty() : tensor<6x3xf32>
  %o_zero = linalg.fill ins(%zero : f32) outs(%o_empty : tensor<6x3xf32>) -> tensor<6x3xf32>
  %values = linalg.generic {indexing_maps = [#q, #v, #scores], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%shares, %v : tensor<6x8xf32>, tensor<8x3xf32>) outs(%o_zero : tensor<6x3xf32>) {
  ^bb0(%a0: f32, %a1: f32, %acc: f32):
    %x = arith.mulf %a0, %a1 : f32
    %y = arith.addf %acc, %x : f32
    linalg.yield %y : f32
  } -> tensor<6x3xf32>
  return %values : tensor<6x3xf32>
}
