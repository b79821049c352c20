// Draws the table of flows as a picture. Without it the table is all there is.
(() => {
  const place = document.getElementById("flows");
  const data = document.getElementById("flows-data");
  if (!place || !data || !window.echarts) return;

  const flows = JSON.parse(data.textContent);
  const labels = new Map();
  const sides = ["source", "fund", "use"];
  for (const flow of flows) {
    labels.set(flow.source, flow.from);
    labels.set(flow.target, flow.to);
  }
  const most = Math.max(
    ...sides.map((side) => [...labels.keys()].filter((key) => key.startsWith(`${side}/`)).length),
  );

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const narrow = () => place.clientWidth < 560;

  const option = () => ({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    // Drawn, and not made of elements: the page allows no style attributes.
    tooltip: {
      renderMode: "richText",
      backgroundColor: colour("--bg"),
      borderColor: colour("--border"),
      textStyle: { color: colour("--text") },
      formatter: ({ dataType, data: each, name, value }) =>
        dataType === "edge"
          ? `${labels.get(each.source)} → ${labels.get(each.target)}\n${each.yuan}`
          : labels.get(name),
    },
    series: {
      type: "sankey",
      left: 2,
      right: narrow() ? 84 : 170,
      top: 8,
      bottom: 8,
      nodeWidth: 10,
      nodeGap: 18,
      draggable: false,
      emphasis: { focus: "adjacency" },
      itemStyle: { color: colour("--accent"), borderWidth: 0 },
      lineStyle: { color: colour("--accent"), opacity: 0.18, curveness: 0.5 },
      label: {
        color: colour("--text"),
        fontSize: narrow() ? 11 : 14,
        width: narrow() ? 80 : 160,
        overflow: "truncate",
        formatter: ({ name }) => labels.get(name),
      },
      data: [...labels.keys()].map((name) => ({
        name,
        depth: sides.indexOf(name.split("/", 1)[0]),
      })),
      links: flows.map(({ source, target, fen, yuan }) => ({ source, target, value: fen, yuan })),
    },
  });

  place.hidden = false;
  place.dataset.boxes = String(Math.min(most, 8));
  const chart = window.echarts.init(place, null, { renderer: "canvas" });
  const draw = () => chart.setOption(option(), true);
  draw();
  new ResizeObserver(() => {
    chart.resize();
    draw();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
