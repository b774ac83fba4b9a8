// Reads [{"name", "text"}, …] from standard input and prints what Microsoft's Kusto parser finds wrong with each query.
"use strict";
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");

const language = Kusto.Language;
const symbols = language.Symbols;
const texts = ["id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"];
const objects = ["sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"];
const resource = [...texts.map((each) => `['${each}']: string`), ...objects.map((each) => `['${each}']: dynamic`)].join(", ");
// learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryloginevents
const events = "TimeGenerated: datetime, CallerIpAddress: string, CorrelationId: string, DurationMs: string, " +
  "Identity: string, JwtId: string, LoginServer: string, OperationName: string, Region: string, " +
  "ResultDescription: string, ResultType: string, UserAgent: string, UserTenantId: string, _ResourceId: string, " +
  "Level: string, ResourceId: string, TenantId: string, Type: string, _SubscriptionId: string";
const tables = {
  resources: resource, resourcecontainers: resource, policyresources: resource, authorizationresources: resource,
  appserviceresources: resource, batchresources: resource, kubernetesconfigurationresources: resource,
  ContainerRegistryLoginEvents: events,
};
const made = Object.entries(tables).map(([name, columns]) => symbols.TableSymbol.From(`(${columns})`).WithName(name));
const database = new symbols.DatabaseSymbol.$ctor1("graph", made);
const globals = language.GlobalState.Default.WithDatabase(database);
let input = "";
process.stdin.on("data", (part) => { input += part; });
process.stdin.on("end", () => {
  const found = [];
  for (const { name, text } of JSON.parse(input)) {
    const diagnostics = language.KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
    for (let index = 0; index < diagnostics.Count; index += 1) {
      const one = diagnostics.getItem(index);
      found.push({ name, code: one.Code, severity: one.Severity, text: `${one.Message} At: ${text.substr(one.Start, 60)}` });
    }
  }
  process.stdout.write(JSON.stringify(found));
});
