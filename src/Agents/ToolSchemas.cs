using System.Text.Json;

namespace Orderwright.Agents;

/// <summary>JSON Schemas of the tools' results: the properties on which agents rely. Further ones are those of the API.</summary>
static class ToolSchemas
{
    public static readonly JsonElement Orders = JsonElement.Parse(
        """
        {"type":"object","required":["items"],"properties":{
          "items":{"type":"array","items":{"type":"object",
            "required":["id","customerId","status","paymentStatus","fulfilmentStatus","currency","total"],
            "properties":{"id":{"type":"string"},"reference":{"type":["string","null"]},"customerId":{"type":"string"},
              "status":{"type":"string"},"paymentStatus":{"type":"string"},"fulfilmentStatus":{"type":"string"},
              "currency":{"type":"string"},"total":{"type":["integer","null"],"description":"Minor units."}}}},
          "nextCursor":{"type":["string","null"]}}}
        """);

    public static readonly JsonElement Explanation = JsonElement.Parse(
        """
        {"type":"object","required":["orderId","summary","state","timeline","paymentDetails"],"properties":{
          "orderId":{"type":"string"},"summary":{"type":"string"},"state":{"type":"string"},
          "waitingFor":{"type":["string","null"]},"code":{"type":["string","null"]},
          "timeline":{"type":"array","items":{"type":"object","required":["step","undo","phase"],"properties":{
            "step":{"type":"string"},"undo":{"type":"boolean"},"phase":{"type":"string"}}}},
          "paymentDetails":{"type":["object","null"],"description":"The payment at customer-service; null for none."}}}
        """);

    public static readonly JsonElement Incidents = JsonElement.Parse(
        """
        {"type":"object","required":["items","payments"],"properties":{
          "items":{"type":"array","items":{"type":"object","required":["orderId","step","code","summary"],"properties":{
            "orderId":{"type":"string"},"step":{"type":"string"},"code":{"type":"string"},"summary":{"type":"string"}}}},
          "payments":{"type":"object","required":["items"],"properties":{"items":{"type":"array"}}}}}
        """);

    public static readonly JsonElement Repair = JsonElement.Parse(
        """
        {"type":"object","required":["orderId","action","preview","before","after","messages"],"properties":{
          "orderId":{"type":"string"},"action":{"type":"string"},"preview":{"type":"boolean"},
          "before":{"type":"object"},"after":{"type":"object"},"messages":{"type":"array"},
          "warning":{"type":["string","null"]},"auditId":{"type":["string","null"],"description":"Null for a preview."}}}
        """);
}
