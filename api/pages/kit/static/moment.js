// Says which event the slider stands at while it is moved; without this, the button does.
const slider = document.getElementById("at");
const chosen = document.getElementById("chosen");
slider.addEventListener("input", () => {
  chosen.value = slider.value;
});
