// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=avx512},canonicalize)' | FileCheck %s
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=avx512})' -remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=avx512 merge-narrow})' | FileCheck %s --check-prefix=NARROW
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=avx512 fold-limit=7})' | FileCheck %s --check-prefix=LIMIT
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=avx512 fold-limit=7})' -remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=LIMIT-REMARK
// RUN: not polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-optimize-lora{target=z80})' 2>&1 | FileCheck %s --check-prefix=TARGET

// TARGET: error: unknown target 'z80'

// [[1, 2], [3, 4]] + 0.5 [[10], [20]] [[1, 2]] = [[6, 12], [13, 24]].
// REMARK: [Passed] Folded | {{.*}}adapter of rank 1 on 2 x 2 merged into its weight: all are constants
// CHECK-LABEL: @constants
// CHECK: %[[W:.*]] = arith.constant dense_resource<merged> : tensor<2x2xf32>
// CHECK: attn.lora_linear %{{.*}}, %[[W]], %{{.*}}, %{{.*}} scale 0.0{{.*}} : tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x0xf32>, tensor<0x2xf32>
// CHECK: merged: "0x400000000000C04000004041000050410000C041"
func.func @constants(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = attn.lora_linear %x, %w, %a, %b scale 0.5 : tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>, tensor<1x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// PyTorch's layout: [[1, 2], [3, 4]] + 0.5 [[1], [2]] [[10, 20]] = [[6, 12], [13, 24]]; 8 multiply-adds would be too
// many.
// LIMIT-REMARK: [Missed] FoldLimit | {{.*}}adapter of rank 2 on 2 x 2 not merged by the compiler: 8 multiply-adds exceed fold-limit, 7
// LIMIT-LABEL: @transposed
// LIMIT: attn.lora_merge
// CHECK-LABEL: @transposed
// CHECK: %[[W:.*]] = arith.constant dense_resource<merged> : tensor<2x2xf32>
// CHECK: return %[[W]]
// CHECK: merged: "0x400000000000C04000004041000050410000C041"
func.func @transposed() -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = arith.constant dense<[[10.0, 20.0], [7.0, 7.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %m = attn.lora_merge %w, %a, %b scale 0.5 transposed : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  return %m : tensor<2x2xf32>
}

// -----

// REMARK: [Missed] Narrow | {{.*}}adapter of rank 1 on 2 x 2 stays apart: merged, it would be rounded to the weight's type; merge-narrow allows for that
// CHECK-LABEL: @narrow
// CHECK: attn.lora_linear {{.*}} scale 5.0{{.*}}e-01 : tensor<?x2xbf16>, tensor<2x2xbf16>, tensor<2x1xf32>
// NARROW-LABEL: @narrow
// NARROW: arith.constant dense_resource<merged> : tensor<2x2xbf16>
func.func @narrow(%x: tensor<?x2xbf16>) -> tensor<?x2xbf16> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xbf16>
  %a = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = attn.lora_linear %x, %w, %a, %b scale 0.5 : tensor<?x2xbf16>, tensor<2x2xbf16>, tensor<2x1xf32>, tensor<1x2xf32>
  return %y : tensor<?x2xbf16>
}

// -----

// Few rows.
// REMARK: [Missed] Apart | {{.*}}adapter of rank 8 on 512 x 256 stays apart: 64 rows in 1 uses, predicted {{.*}} cycles apart, {{.*}} merged; merging pays from {{.*}} rows on
// CHECK-LABEL: @few_rows
// CHECK-NOT: attn.lora_merge
// CHECK: attn.lora_linear {{.*}} scale 2.0
func.func @few_rows(%x: tensor<64x512xf32>, %w: tensor<512x256xf32>, %a: tensor<512x8xf32>, %b: tensor<8x256xf32>) -> tensor<64x256xf32> {
  %y = attn.lora_linear %x, %w, %a, %b scale 2.0 : tensor<64x512xf32>, tensor<512x256xf32>, tensor<512x8xf32>, tensor<8x256xf32>
  return %y : tensor<64x256xf32>
}

// -----

// Two uses and a loop's iterations count together; the merge is there for all.
// REMARK: [Passed] Merged | {{.*}}adapter of rank 64 on 512 x 256 is merged into its weight before the loop: 51200 rows in 2 uses
// CHECK-LABEL: @many_rows
// CHECK: %[[M:.*]] = attn.lora_merge
// CHECK: scf.for
// CHECK: attn.lora_linear %{{.*}}, %[[M]], %{{.*}} scale 0.0
// CHECK: attn.lora_linear %{{.*}}, %[[M]], %{{.*}} scale 0.0
func.func @many_rows(%x: tensor<512x512xf32>, %w: tensor<512x256xf32>, %a: tensor<512x64xf32>, %b: tensor<64x256xf32>, %start: tensor<512x256xf32>)
    -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c50 = arith.constant 50 : index
  %r = scf.for %i = %c0 to %c50 step %c1 iter_args(%sum = %start) -> tensor<512x256xf32> {
    %n = arith.negf %x : tensor<512x512xf32>
    %y = attn.lora_linear %x, %w, %a, %b scale 2.0 : tensor<512x512xf32>, tensor<512x256xf32>, tensor<512x64xf32>, tensor<64x256xf32>
    %z = attn.lora_linear %n, %w, %a, %b scale 2.0 : tensor<512x512xf32>, tensor<512x256xf32>, tensor<512x64xf32>, tensor<64x256xf32>
    %t = arith.addf %y, %z : tensor<512x256xf32>
    %next = arith.addf %sum, %t : tensor<512x256xf32>
    scf.yield %next : tensor<512x256xf32>
  }
  return %r : tensor<512x256xf32>
}

// -----

// Another scale is another adapter; and rows of unknown number count once.
// REMARK: [Missed] UnknownSizes | {{.*}}adapter of rank 64 on 512 x 256 stays apart: the number of rows is not known
// REMARK: [Missed] Apart
// CHECK-LABEL: @not_together
// CHECK-NOT: attn.lora_merge
func.func @not_together(%x: tensor<?x512xf32>, %z: tensor<64x512xf32>, %w: tensor<512x256xf32>, %a: tensor<512x64xf32>, %b: tensor<64x256xf32>)
    -> (tensor<?x256xf32>, tensor<64x256xf32>) {
  %0 = attn.lora_linear %x, %w, %a, %b scale 2.0 : tensor<?x512xf32>, tensor<512x256xf32>, tensor<512x64xf32>, tensor<64x256xf32>
  %1 = attn.lora_linear %z, %w, %a, %b scale 3.0 : tensor<64x512xf32>, tensor<512x256xf32>, tensor<512x64xf32>, tensor<64x256xf32>
  return %0, %1 : tensor<?x256xf32>, tensor<64x256xf32>
}

// -----

// A merge for a few rows comes apart; one that many use stays, and leaves a loop
// that does not change it.
// REMARK: [Passed] TakenApart | {{.*}}adapter of rank 8 on 512 x 256 comes apart from its weight: predicted {{.*}} cycles apart, {{.*}} merged
// CHECK-LABEL: @apart
// CHECK-NOT: attn.lora_merge
// CHECK: attn.lora_linear %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 2.0{{.*}} : tensor<64x512xf32>, tensor<512x256xf32>, tensor<512x8xf32>
func.func @apart(%x: tensor<64x512xf32>, %w: tensor<512x256xf32>, %a: tensor<512x8xf32>, %b: tensor<8x256xf32>) -> tensor<64x256xf32> {
  %m = attn.lora_merge %w, %a, %b scale 2.0 : tensor<512x256xf32>, tensor<512x8xf32>, tensor<8x256xf32>
  %y = attn.lora_linear %x, %m, %a, %b scale 0.0 : tensor<64x512xf32>, tensor<512x256xf32>, tensor<512x8xf32>, tensor<8x256xf32>
  return %y : tensor<64x256xf32>
}

// -----

// REMARK: [Passed] Hoisted | {{.*}}adapter of rank 8 on 512 x 256 is merged before the loop, which changes nothing of it
// CHECK-LABEL: @hoisted
// CHECK: attn.lora_merge
// CHECK: scf.for
// CHECK-NOT: attn.lora_merge
func.func @hoisted(%n: index, %w: tensor<512x256xf32>, %a: tensor<512x8xf32>, %b: tensor<8x256xf32>) -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %w) -> tensor<512x256xf32> {
    %m = attn.lora_merge %w, %a, %b scale 2.0 : tensor<512x256xf32>, tensor<512x8xf32>, tensor<8x256xf32>
    %next = arith.addf %sum, %m : tensor<512x256xf32>
    scf.yield %next : tensor<512x256xf32>
  }
  return %r : tensor<512x256xf32>
}

// -----

// What depends on the loop stays in it; nothing is said of it.
// CHECK-LABEL: @changes
// CHECK: scf.for
// CHECK: attn.lora_merge
// REMARK-NOT: polyattn
func.func @changes(%n: index, %w: tensor<512x256xf32>, %a: tensor<512x8xf32>, %b: tensor<8x256xf32>) -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %w) -> tensor<512x256xf32> {
    %m = attn.lora_merge %sum, %a, %b scale 2.0 : tensor<512x256xf32>, tensor<512x8xf32>, tensor<8x256xf32>
    scf.yield %m : tensor<512x256xf32>
  }
  return %r : tensor<512x256xf32>
}
