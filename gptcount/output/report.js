"use strict";
{
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = {
    displaylogo: false, responsive: true, plotlyServerURL: "", topojsonURL: "",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: "gptcount" },
  };
  const charts = [...document.querySelectorAll(".chart")];
  const drawn = new Set();
  let printing = false;

  const template = () => figures.templates[dark.matches && !printing ? "dark" : "light"];

  function draw(chart) {
    if (drawn.has(chart)) return;
    drawn.add(chart);
    const { data, layout } = figures.charts[chart.id];
    Plotly.newPlot(chart, data, { ...layout, template: template() }, config);
    const buttons = document.querySelectorAll(`[data-chart="${chart.id}"]`);
    const press = (level) => buttons.forEach((button) => {
      button.setAttribute("aria-pressed", String(`${level}/`.startsWith(`${button.dataset.level}/`)));
    });
    buttons.forEach((button) => button.addEventListener("click", () => {
      Plotly.restyle(chart, { level: button.dataset.level });
      press(button.dataset.level);
    }));
    if (buttons.length) chart.on("plotly_treemapclick", (event) => press(event.nextLevel));
  }

  // On paper every chart is as wide as a page; treemaps, which have no height of their own, are as high as the style
  // sheet says.
  function again() {
    for (const chart of drawn) {
      const size = { width: printing ? 680 : null, autosize: !printing };
      if (chart.classList.contains("treemap")) size.height = printing ? 400 : null;
      Plotly.relayout(chart, { template: template(), ...size });
    }
  }

  dark.addEventListener("change", () => again());
  addEventListener("beforeprint", () => { printing = true; charts.forEach(draw); again(); });
  addEventListener("afterprint", () => { printing = false; again(); });

  // A chart is drawn when it comes near: a page of many models opens as fast as one of one.
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "800px" });
  charts.forEach((chart) => near.observe(chart));
}
