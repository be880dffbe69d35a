// Follows the making of a pass: each event says that there is more to see, and the server draws it.
const steps = document.getElementById("steps");
if (steps && steps.dataset.events) {
  const source = new EventSource(steps.dataset.events);
  source.onmessage = () => htmx.ajax("GET", location.pathname, { target: "#steps", swap: "outerHTML" });
  source.addEventListener("end", () => {
    source.close();
    location.reload();
  });
}
