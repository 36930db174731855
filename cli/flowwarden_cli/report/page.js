"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const font = getComputedStyle(document.body).fontFamily;
  const views = [];
  const errorsOnly = 1;  // of the log levels of Vega

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);

  // Texts become text nodes, so nothing in the data is read as HTML.
  const showTip = (_handler, event, _item, value) => {
    tip.replaceChildren();
    if (value === null || value === undefined || value === "") {
      tip.hidden = true;
      return;
    }
    for (const [name, content] of Object.entries(typeof value === "object" ? value : { "": value })) {
      const row = document.createElement("div");
      row.textContent = name ? `${name}: ${content}` : String(content);
      tip.append(row);
    }
    tip.hidden = false;
    const left = Math.min(event.pageX + 12, scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${event.pageY + 16}px`;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });

  const config = (width) => {
    const narrow = width < 480;
    const side = narrow ? 118 : 170;
    return {
      background: "transparent",
      font,
      view: { stroke: "var(--line)" },
      axis: {
        labelColor: "var(--ink)", titleColor: "var(--ink)", domainColor: "var(--line)", tickColor: "var(--line)",
        gridColor: "var(--faint)", labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal",
      },
      axisY: { minExtent: side, maxExtent: side, labelLimit: side - 8, labelFontSize: narrow ? 10 : 11 },
      legend: { labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 11, titleFontSize: 11 },
      text: { fontSize: narrow ? 9 : 11 },
      axisX: { labelLimit: 110 },
    };
  };

  const draw = async ({ name, spec }) => {
    const place = document.getElementById(name);
    const result = await vegaEmbed(place, spec, {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false,
      tooltip: showTip, logLevel: errorsOnly, config: config(place.clientWidth),
    });
    views.push(result.view);
    place.setAttribute("role", "img");  // Vega calls it a document
    // The place has the description; the parts of the drawing would only repeat it one by one.
    place.querySelector("svg")?.setAttribute("aria-hidden", "true");
  };

  const drawAll = async () => {
    let failed = 0;
    for (const chart of charts) {
      try {
        await draw(chart);
      } catch (error) {
        failed += 1;
        document.getElementById(chart.name).textContent = "This chart could not be drawn; its data follow as a table.";
        console.error(`${chart.name}: ${error}`);
      }
      document.documentElement.dataset.opened ??= String(Math.round(performance.now()));
      await new Promise((next) => setTimeout(next));
    }
    document.documentElement.dataset.drawn = String(charts.length - failed);
  };

  // On paper, incidents are shown with their text.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.incident:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });

  drawAll();
})();
