// What stays for scalar loops, and why; it goes through the whole pipeline all the same.
// RUN: polyattn-opt %s -attn-linalg-to-vector -remarks-filter=polyattn 2>&1 | FileCheck %s
// RUN: polyattn-opt %s -attn-to-llvm | FileCheck %s --check-prefix=LLVM
// LLVM-NOT: linalg

// CHECK: Missed{{.*}}scalar loops for 'linalg.generic': it has no loop
// CHECK: Missed{{.*}}scalar loops for 'linalg.generic': 'scf.if' branches
// CHECK: Missed{{.*}}scalar loops for 'linalg.generic': 'arith.divsi' traps where nothing is
// CHECK: Missed{{.*}}scalar loops for 'linalg.generic': none of its loops can run over lanes
// CHECK-NOT: remark:

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// CHECK-LABEL: func.func @left
// CHECK-COUNT-4: linalg.generic
func.func @left(%a: memref<8xf32>, %i: memref<8xi64>, %one: memref<f32>, %c: i1) {
  linalg.generic {indexing_maps = [affine_map<() -> ()>], iterator_types = []} outs(%one : memref<f32>) {
  ^bb0(%o: f32):
    linalg.yield %o : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<8xf32>) outs(%a : memref<8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %x = scf.if %c -> f32 {
      scf.yield %p : f32
    } else {
      scf.yield %o : f32
    }
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%i : memref<8xi64>) outs(%i : memref<8xi64>) {
  ^bb0(%p: i64, %o: i64):
    %x = arith.divsi %p, %o : i64
    linalg.yield %x : i64
  }
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]} ins(%a : memref<8xf32>) outs(%one : memref<f32>) {
  ^bb0(%p: f32, %o: f32):
    %x = arith.divf %o, %p : f32
    linalg.yield %x : f32
  }
  return
}
