// One processing element: T_P multipliers and an adder tree, one row of an input tile per cycle; beside them the
// accumulators and the output queue. Between the tree and the accumulators the engine joins neighbours.
//
// Latency: operands 1, products 1, tree clog2(T_P) cycles from `x` and `w` to `dot`.
// A sum that comes in with `accumulate` is added to accumulator `address` (or replaces it, where `first`); its
// read was asked for one cycle before with `read_address`. Where `last`, what comes of it goes into the
// output queue instead, as a word: shifted right by `shift` and saturated.
module processing_element #(
    parameter int unsigned T_P = 8,
    parameter int unsigned WORD = 16,
    parameter int unsigned ACC = 40,           // at least 2 WORD + clog2(T_P)
    parameter int unsigned ACCUMULATORS = 32,  // OUTPUT_TILES T_R
    parameter int unsigned QUEUE = 32          // T_R: the tile that drains
) (
    input  logic                            clk,
    input  logic [T_P*WORD-1:0]             x,
    input  logic [T_P*WORD-1:0]             w,
    output logic signed [ACC-1:0]           dot,
    input  logic signed [ACC-1:0]           sum,
    input  logic                            accumulate,
    input  logic                            first,
    input  logic                            last,
    input  logic [$clog2(ACCUMULATORS)-1:0] read_address,
    input  logic [$clog2(ACCUMULATORS)-1:0] address,
    input  logic [$clog2(QUEUE)-1:0]        queue_write_address,
    input  logic [$clog2(QUEUE)-1:0]        queue_read_address,
    input  logic                            queue_read,
    input  logic [5:0]                      shift,
    output logic [WORD-1:0]                 queue_word
);
  localparam int unsigned LEVELS = $clog2(T_P);
  localparam int unsigned LEAVES = 1 << LEVELS;

  // Products, then level by level half as many sums: node n is the sum of nodes 2n + 1 and 2n + 2. Leaves beyond
  // T_P are zero and vanish in synthesis.
  logic [ACC*(2*LEAVES-1)-1:0] tree;
  for (genvar i = 0; i < LEAVES; i++) begin : g_leaf
    if (i < T_P) begin : g_multiplier
      logic signed [WORD-1:0] a, b;
      logic signed [2*WORD-1:0] product;
      always_ff @(posedge clk) begin
        a       <= x[i*WORD+:WORD];
        b       <= w[i*WORD+:WORD];
        product <= a * b;
      end
      assign tree[(LEAVES-1+i)*ACC+:ACC] = ACC'(product);
    end else begin : g_none
      assign tree[(LEAVES-1+i)*ACC+:ACC] = '0;
    end
  end
  for (genvar n = 0; n < LEAVES - 1; n++) begin : g_node
    localparam int unsigned LEVEL = LEVELS + 1 - $clog2(n + 2);  // above the leaves: as many bits more than a product
    logic signed [2*WORD+LEVEL-1:0] node;
    always_ff @(posedge clk)
      node <= (2 * WORD + LEVEL)'(tree[(2*n+1)*ACC+:ACC]) + (2 * WORD + LEVEL)'(tree[(2*n+2)*ACC+:ACC]);
    assign tree[n*ACC+:ACC] = ACC'(node);
  end
  assign dot = tree[ACC-1:0];

  // The accumulator that the previous cycle wrote may be the one wanted now: its read came too early.
  logic signed [ACC-1:0] accumulators[0:ACCUMULATORS-1];
  logic signed [ACC-1:0] stored, written, total;
  logic [$clog2(ACCUMULATORS)-1:0] written_address;
  logic just_written;
  always_comb begin
    total = sum;
    if (!first) total = sum + (just_written && written_address == address ? written : stored);
  end
  always_ff @(posedge clk) begin
    stored          <= accumulators[read_address];
    just_written    <= accumulate && !last;
    written_address <= address;
    written         <= total;
    if (accumulate && !last) accumulators[address] <= total;
  end

  // The word of a total.
  localparam logic signed [ACC-1:0] HIGHEST = ACC'((64'd1 << (WORD - 1)) - 64'd1);
  localparam logic signed [ACC-1:0] LOWEST = -HIGHEST - 1;
  logic signed [ACC-1:0] shifted;
  logic [WORD-1:0] word;
  assign shifted = total >>> shift;
  assign word = shifted > HIGHEST ? HIGHEST[WORD-1:0] : shifted < LOWEST ? LOWEST[WORD-1:0] : shifted[WORD-1:0];

  logic [WORD-1:0] queue[0:QUEUE-1];
  always_ff @(posedge clk) begin
    if (accumulate && last) queue[queue_write_address] <= word;
    if (queue_read) queue_word <= queue[queue_read_address];
  end
endmodule
