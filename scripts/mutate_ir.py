# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Random changes of MLIR programs in generic form, line by line: polyattn-opt --mlir-print-op-generic
--mlir-print-local-scope. Most changes keep types, so that about half of the mutants still verify."""

import re

OP = re.compile(r'^(?P<indent> *)(?:(?P<results>%[\w:, %]+) = )?"(?P<name>[\w.]+)"\((?P<operands>[^()]*)\)'
                r"(?P<props>(?: <\{.*?\}>)?)(?P<rest>.*)$")
VALUE = re.compile(r"%\w+(?:#\d+)?")


def split_types(text):
    """The types of a list, (A, B) or A."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    types, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += c in "<([" and 1 or c in ">)]" and text[i - 1] != "-" and -1 or 0
        if c == "," and depth == 0:
            types.append(text[last:i].strip())
            last = i + 1
    return types + [text[last:].strip()] if text else []


class Line:
    """One line: an op, the head of a block, or the end of regions."""

    def __init__(self, text):
        self.text = text
        self.op = OP.match(text)
        self.ends = None  # the line that closes the op's regions

    @property
    def name(self):
        return self.op["name"] if self.op else None

    def operands(self):
        return VALUE.findall(self.op["operands"]) if self.op else []

    def results(self):
        """Names of single values, as uses spell them."""
        names = []
        for word in (self.op["results"] or "").split(", ") if self.op else []:
            base, _, count = word.partition(":")
            names += [f"{base}#{i}" for i in range(int(count))] if count else [base] if base else []
        return names

    def change(self, **parts):
        op = {key: value or "" for key, value in self.op.groupdict().items()} | parts
        self.text = (f"{op['indent']}{op['results']}{' = ' if op['results'] else ''}\"{op['name']}\"({op['operands']})"
                     f"{op['props']}{op['rest']}")
        self.op = OP.match(self.text)


class Program:
    def __init__(self, text):
        self.lines = [Line(line) for line in text.splitlines() if line.strip() and not line.startswith("//")]
        self.fresh = 0
        self.index()

    def text(self):
        return "\n".join(line.text for line in self.lines) + "\n"

    def index(self):
        """Which line closes which, types, and for each line what it can use."""
        self.types, self.visible, scopes, opened = {}, [], [[]], []
        for line in self.lines:
            stripped = line.text.strip()
            if stripped.startswith("})") and opened:
                scopes.pop()
                opener = opened.pop()
                opener.ends = line
                self.define(opener, line.text, scopes[-1])
            self.visible.append([value for scope in scopes for value in scope])
            if stripped.startswith("^"):
                for name, kind in re.findall(r"(%\w+): ([^%]+?)(?=, %|\):?$)", stripped):
                    self.types[name] = kind
                    scopes[-1].append(name)
            elif line.op and line.op["rest"].endswith("({"):
                opened.append(line)
                scopes.append([])
            elif line.op:
                self.define(line, line.text, scopes[-1])

    def define(self, line, text, scope):
        kinds = split_types(text.rsplit(" -> ", 1)[-1]) if " -> " in text else []
        for name, kind in zip(line.results(), kinds):
            self.types[name] = kind
            scope.append(name)

    def ops(self, pattern=""):
        return [i for i, line in enumerate(self.lines) if line.op and re.match(pattern, line.name)]

    def end_of_scope(self, start):
        """The line behind the last that can use what line `start` defines."""
        depth = 0
        for i in range(start, len(self.lines)):
            stripped = self.lines[i].text.strip()
            if stripped.startswith("})"):
                depth -= 1
                if depth < 0:
                    return i
            if stripped.endswith("({"):
                depth += 1
        return len(self.lines)

    def last_line(self, start):
        """The line where the op of line `start` ends."""
        line = self.lines[start]
        return self.lines.index(line.ends, start) if line.ends else start

    def replace_uses(self, value, by, start, end):
        pattern = re.compile(re.escape(value) + r"(?![\w#])")
        for line in self.lines[start:end]:
            if line.op and value in line.operands():
                line.change(operands=pattern.sub(by, line.op["operands"]))

    def new_name(self):
        self.fresh += 1
        return f"%new{self.fresh}"

    def others(self, i, value):
        """Values of the same type that line `i` could use as well."""
        kind = self.types.get(value)
        return [v for v in self.visible[i] if v != value and self.types.get(v) == kind]


# ===-- changes -----------------------------------------------------------===#
# Each takes the program and a generator and says whether it changed anything.


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))] if len(choices) else None


def delete_op(program, rng):
    i = pick(rng, program.ops(r"(arith|math|tensor|linalg)\.(?!constant|yield|empty)"))
    if i is None:
        return False
    results, last = program.lines[i].results(), program.last_line(i)
    others = [program.others(i, value) for value in results]
    if not results or not all(others):
        return False
    end = program.end_of_scope(last + 1)
    for value, choices in zip(results, others):
        program.replace_uses(value, pick(rng, choices), last + 1, end)
    del program.lines[i:last + 1]
    return True


def replace_operand(program, rng):
    i = pick(rng, [i for i in program.ops() if program.lines[i].operands()])
    operands = program.lines[i].operands()
    k = int(rng.integers(len(operands)))
    other = pick(rng, program.others(i, operands[k]))
    if other is None:
        return False
    operands[k] = other
    program.lines[i].change(operands=", ".join(operands))
    return True


def swap_operands(program, rng):
    i = pick(rng, [i for i in program.ops() if len(program.lines[i].operands()) > 1])
    if i is None:
        return False
    operands = program.lines[i].operands()
    a, b = rng.choice(len(operands), 2, replace=False)
    if operands[a] == operands[b]:
        return False
    operands[a], operands[b] = operands[b], operands[a]
    program.lines[i].change(operands=", ".join(operands))
    return True


NAMES = [["arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf", "arith.minimumf", "arith.maxnumf"],
         ["math.exp", "math.exp2", "math.tanh", "math.absf", "math.sqrt", "math.expm1", "math.log", "arith.negf", "math.sin"],
         ["arith.addi", "arith.subi", "arith.muli", "arith.maxsi", "arith.minsi", "arith.andi", "arith.ori", "arith.xori"],
         ["linalg.matmul", "linalg.add"]]


def rename_op(program, rng):
    family = pick(rng, NAMES)
    i = pick(rng, program.ops("|".join(re.escape(name) + "$" for name in family)))
    if i is None:
        return False
    line = program.lines[i]
    line.change(name=pick(rng, [name for name in family if name != line.name]))
    if line.name.endswith("i") and "andi" not in line.name:
        line.change(props="" if line.name[-3:] in ("ori", "xsi", "nsi") else line.op["props"])
    return True


def predicate(program, rng):
    i = pick(rng, program.ops(r"arith\.cmp"))
    if i is None:
        return False
    line = program.lines[i]
    most = 16 if line.name == "arith.cmpf" else 10
    line.change(props=re.sub(r"predicate = \d+", f"predicate = {rng.integers(most)}", line.op["props"]))
    return True


FLOATS = ["0.0", "1.0", "-1.0", "0.5", "2.0", "1.44269504", "-1.0e9", "-3.40282347E+38", "1.0e-5", "-10000.0"]
INFINITE = {"f32": ["0xFF800000", "0x7F800000", "0x7FC00000"], "f64": ["0xFFF0000000000000", "0x7FF0000000000000"],
            "f16": ["0xFC00", "0x7C00"], "bf16": ["0xFF80", "0x7F80"]}


def constant(program, rng):
    i = pick(rng, program.ops(r"arith\.constant|tosa\.const"))
    if i is None:
        return False
    line = program.lines[i]
    kind = program.types.get(line.results()[0], "")
    element = re.search(r"(bf16|f16|f32|f64|i64|i32|i1|index)>?$", kind)
    if not element:
        return False
    element = element[1]
    if element == "i1":
        value = pick(rng, ["true", "false"])
    elif element[0] in "bf":
        value = pick(rng, FLOATS + INFINITE[element])
    else:
        value = str(rng.integers(-2, 9))
    one = re.sub(r"(value = )(?:dense<)?-?[\w.+-]+(>?) :", rf"\g<1>{'dense<' if 'tensor' in kind else ''}{value}\g<2> :",
                 line.op["props"], count=1)
    if one == line.op["props"] and "dense<[" in one:  # one number of a list
        numbers = list(re.finditer(r"-?\d+\.\d+E?[+-]?\d*|true|false|-?\b\d+\b(?=[,\]])", one.split(" : ")[0]))
        chosen = pick(rng, numbers)
        if chosen is None:
            return False
        one = one[:chosen.start()] + value + one[chosen.end():]
    line.change(props=one)
    return True


def indexing_map(program, rng):
    i = pick(rng, [i for i in program.ops("linalg") if "affine_map" in program.lines[i].op["props"]])
    if i is None:
        return False
    line = program.lines[i]
    maps = list(re.finditer(r"affine_map<\(([^()]*)\) -> \(([^()]*)\)>", line.op["props"]))
    chosen = maps[int(rng.integers(len(maps)))]
    dims, results = chosen[1].split(", "), chosen[2].split(", ") if chosen[2] else []
    way = int(rng.integers(4))
    if way == 0 and len(results) > 1:
        a, b = rng.choice(len(results), 2, replace=False)
        results[a], results[b] = results[b], results[a]
    elif way == 1 and results:
        results[int(rng.integers(len(results)))] = pick(rng, dims + ["0"])
    elif way == 2 and results:
        k = int(rng.integers(len(results)))
        results[k] = f"{results[k]} + {rng.integers(-1, 2)}" if rng.random() < 0.5 else f"-{results[k]} + {rng.integers(1, 8)}"
    else:
        other = maps[int(rng.integers(len(maps)))]
        results = other[2].split(", ") if other[2] else []
    props = line.op["props"]
    text = f"affine_map<({', '.join(dims)}) -> ({', '.join(results)})>"
    line.change(props=props[:chosen.start()] + text + props[chosen.end():])
    return True


def iterator(program, rng):
    i = pick(rng, [i for i in program.ops("linalg") if "iterator_type<" in program.lines[i].op["props"]])
    if i is None:
        return False
    line = program.lines[i]
    found = list(re.finditer(r"iterator_type<(\w+)>", line.op["props"]))
    chosen = found[int(rng.integers(len(found)))]
    other = "reduction" if chosen[1] == "parallel" else "parallel"
    line.change(props=line.op["props"][:chosen.start(1)] + other + line.op["props"][chosen.end(1):])
    return True


def permutation(program, rng):
    i = pick(rng, [i for i in program.ops() if re.search(r"(permutation|perms) = array<", program.lines[i].op["props"])])
    if i is None:
        return False
    line = program.lines[i]
    found = re.search(r"(?:permutation|perms) = array<i\d+: ([^>]*)>", line.op["props"])
    numbers = found[1].split(", ")
    rng.shuffle(numbers)
    line.change(props=line.op["props"][:found.start(1)] + ", ".join(numbers) + line.op["props"][found.end(1):])
    return True


def number(program, rng):
    """Any integer of the attributes: offsets, sizes, dimensions, groups of dimensions."""
    i = pick(rng, [i for i in program.ops(r"(?!arith\.constant|func)") if re.search(r"\d", program.lines[i].op["props"])])
    if i is None:
        return False
    line = program.lines[i]
    found = list(re.finditer(r"(?<![\w.])-?\d+(?![\w.])", line.op["props"]))
    if not found:
        return False
    chosen = found[int(rng.integers(len(found)))]
    value = int(chosen[0]) + int(rng.choice([-1, 1, 2])) if rng.random() < 0.8 else int(rng.integers(-1, 9))
    line.change(props=line.op["props"][:chosen.start()] + str(value) + line.op["props"][chosen.end():])
    return True


def move_group(program, rng):
    """Dimensions of a reshape grouped otherwise."""
    i = pick(rng, [i for i in program.ops("tensor") if "reassociation" in program.lines[i].op["props"]])
    if i is None:
        return False
    line = program.lines[i]
    props = line.op["props"]
    joints = [m.start() for m in re.finditer(r"\], \[", props)]
    if not joints:
        return False
    at = pick(rng, joints)
    left = re.search(r", (\d+)$", props[:at])
    if left and rng.random() < 0.5:
        props = props[:left.start()] + "], [" + left[1] + ", " + props[at + 4:]
    else:
        right = re.match(r"(\d+), ", props[at + 4:])
        if not right:
            return False
        props = props[:at] + ", " + right[1] + "], [" + props[at + 4 + right.end():]
    line.change(props=props)
    return True


def size_everywhere(program, rng):
    """One number, wherever a type has it as a size, becomes another one; a chance in three: in one line only."""
    sizes = sorted(set(re.findall(r"(?<=[<x])\d+(?=x)", program.text())))
    if not sizes:
        return False
    size = pick(rng, sizes)
    other = str(max(1, int(size) + int(rng.choice([-1, 1, int(size), -int(size) + 1]))))
    lines = program.lines if rng.random() < 0.67 else [pick(rng, program.lines)]
    for line in lines:
        line.text = re.sub(rf"(?<=[<x]){size}(?=x)", other, line.text)
        line.text = re.sub(r"((?:static_output_shape|static_sizes) = array<i64: )([^>]*)",
                           lambda m: m[1] + ", ".join(other if n == size else n for n in m[2].split(", ")), line.text)
        line.op = OP.match(line.text)
    return other != size


def element_type(program, rng):
    old, new = pick(rng, [("f32", "f64"), ("f32", "f16"), ("f32", "bf16"), ("f16", "f32"), ("bf16", "f32"), ("i64", "i32"), ("f64", "f32")])
    everywhere = rng.random() < 0.7
    text = program.text()
    if not re.search(rf"x{old}>|: {old}\b", text):
        return False
    infinite = dict(zip(INFINITE.get(old, []), INFINITE.get(new, [])))
    for line in program.lines if everywhere else [pick(rng, program.lines)]:
        for a, b in infinite.items():
            line.text = line.text.replace(f"{a} : {old}", f"{b} : {new}")
        keep = r"(?<!array<)(?<!dim = \d : )(?<!predicate = \d : )(?<!predicate = \d\d : )"
        line.text = re.sub(rf"{keep}\b{old}\b|(?<=x){old}\b", new, line.text)
        line.op = OP.match(line.text)
    return True


UNARY = ["math.tanh", "math.exp", "math.absf", "arith.negf", "math.sqrt", "math.log", "math.exp2", "math.floor"]
BINARY = ["arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf", "arith.minimumf"]


def insert_op(program, rng):
    """An op on single numbers behind one, whose result it changes; or on whole tensors, which is as valid."""
    candidates = [i for i in program.ops(r"(arith|math|linalg|tensor)\.(?!yield|empty|constant)")
                  if program.lines[i].results() and re.search(r"\b(bf16|f16|f32|f64)>?$", program.types.get(program.lines[i].results()[0], ""))]
    i = pick(rng, candidates)
    if i is None:
        return False
    value, last, name = program.lines[i].results()[0], program.last_line(i), program.new_name()
    kind = program.types[value]
    indent = " " * (len(program.lines[i].text) - len(program.lines[i].text.lstrip()))
    other = pick(rng, program.others(i, value))
    if other is not None and rng.random() < 0.5:
        text = f'{indent}{name} = "{pick(rng, BINARY)}"({value}, {other}) <{{fastmath = #arith.fastmath<none>}}> : ({kind}, {kind}) -> {kind}'
    else:
        text = f'{indent}{name} = "{pick(rng, UNARY)}"({value}) <{{fastmath = #arith.fastmath<none>}}> : ({kind}) -> {kind}'
    program.replace_uses(value, name, last + 1, program.end_of_scope(last + 1))
    program.lines.insert(last + 1, Line(text))
    program.types[name] = kind
    return True


def duplicate_op(program, rng):
    """A copy of an op, which one of the users of the original takes."""
    i = pick(rng, [i for i in program.ops(r"(arith|math|linalg|tensor)\.(?!yield)") if len(program.lines[i].results()) == 1])
    if i is None:
        return False
    last = program.last_line(i)
    value = program.lines[i].results()[0]
    users = [k for k in range(last + 1, program.end_of_scope(last + 1)) if program.lines[k].op and value in program.lines[k].operands()]
    if not users:
        return False
    names = {name: program.new_name() for line in program.lines[i:last + 1]
             for name in line.results() + re.findall(r"(%\w+): ", line.text if line.text.strip().startswith("^") else "")}
    rename = re.compile("|".join(re.escape(name) + r"(?!\w)" for name in sorted(names, key=len, reverse=True)))
    copies = [Line(rename.sub(lambda m: names[m[0]], line.text)) for line in program.lines[i:last + 1]]
    k = pick(rng, users)
    program.replace_uses(value, names[value], k, k + 1)
    program.lines[last + 1:last + 1] = copies
    return True


def return_more(program, rng):
    """Any tensor on the way becomes a result, too."""
    head = next((k for k in program.ops(r"func\.func$") if 'sym_name = "main"' in program.lines[k].text), None)
    if head is None:
        return False
    back = next((k for k in program.ops(r"func\.return$") if k > head), None)
    if back is None:
        return False
    empty = {value for i in program.ops(r"tensor\.empty") for value in program.lines[i].results()}
    value = pick(rng, [v for v in program.visible[back]
                       if "tensor<" in program.types.get(v, "") and "%arg" not in v and v not in empty])
    if value is None:
        return False
    line, kind = program.lines[back], program.types[value]
    operands = line.operands() + [value]
    kinds = [program.types.get(v, "") for v in operands]
    line.change(operands=", ".join(operands), rest=f" : ({', '.join(kinds)}) -> ()")
    text = program.lines[head].text
    found = re.search(r"function_type = (\(.*?\)) -> (.*?)(?=, (?:res_attrs|sym_name|sym_visibility|arg_attrs)|\}>)", text)
    program.lines[head].text = f"{text[:found.start(2)]}({', '.join(kinds)}){text[found.end(2):]}"
    program.lines[head].op = OP.match(program.lines[head].text)
    return True


#: Changes and how often they are tried.
CHANGES = {delete_op: 4, replace_operand: 5, swap_operands: 2, rename_op: 4, predicate: 3, constant: 4, indexing_map: 4,
           iterator: 1, permutation: 2, number: 3, move_group: 1, size_everywhere: 2, element_type: 2, insert_op: 3,
           duplicate_op: 1, return_more: 1}
WEIGHTED = [change for change, weight in CHANGES.items() for _ in range(weight)]


def mutate(text, rng):
    """A mutant of the program and the names of what was done, one to three changes."""
    program, done = Program(text), []
    wanted = 1 + int(rng.integers(3)) if rng.random() < 0.4 else 1
    for _ in range(20):
        if len(done) == wanted:
            break
        change = WEIGHTED[int(rng.integers(len(WEIGHTED)))]
        if change(program, rng):
            done.append(change.__name__)
            program.index()
    return program.text(), done
