using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Fault of a process file.</summary>
/// <param name="Pointer">RFC 6901; empty for the file as a whole.</param>
/// <param name="Message">One sentence.</param>
public sealed record ProcessFault(string Pointer, string Message)
{
    public override string ToString() => Pointer.Length == 0 ? Message : $"{Pointer}: {Message}";
}

/// <summary>
/// The process as a file (docs/reference/process.schema.json): the steps of our services, and steps of outside participants and
/// of people among them. Immutable.
/// </summary>
public sealed class ProcessFile
{
    ProcessFile(SagaDefinition definition, string json)
    {
        (Definition, Json) = (definition, json);
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json)));
    }

    public SagaDefinition Definition { get; }

    /// <summary>Content without white space: equal for two files that mean the same in the same words.</summary>
    public string Json { get; }

    /// <summary>SHA-256 of <see cref="Json"/> in hex.</summary>
    public string Hash { get; }

    /// <summary>Steps of participants that are called over HTTP.</summary>
    public IEnumerable<SagaStep> CalledSteps => Definition.Steps.Where(step => step.Endpoint is not null);

    /// <summary>Content for people, indented.</summary>
    public string ToText()
    {
        using var document = JsonDocument.Parse(Json);
        return JsonSerializer.Serialize(document.RootElement, Indented);
    }

    /// <summary>Reads and checks a file: either the process, or all faults found.</summary>
    public static (ProcessFile? File, IReadOnlyList<ProcessFault> Faults) Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > ProcessReader.MaxBytes)
            return (null, [new("", $"The file has {json.Length} bytes; at most {ProcessReader.MaxBytes} are accepted.")]);
        try
        {
            using var document = JsonDocument.Parse(
                json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            var reader = new ProcessReader();
            var definition = reader.Read(document.RootElement);
            return definition is null
                ? (null, reader.Faults)
                : (new ProcessFile(definition, JsonSerializer.Serialize(document.RootElement, Compact)), []);
        }
        catch (JsonException error)
        {
            return (null, [new("", $"The file is not JSON: {error.Message}")]);
        }
    }

    static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };
}

/// <summary>Reads a process file and collects its faults.</summary>
sealed partial class ProcessReader
{
    public const int MaxBytes = 64 << 10;
    const int MaxSteps = 32;
    const int MaxName = 40;
    static readonly TimeSpan ShortestTime = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LongestTime = TimeSpan.FromDays(90);

    static readonly string[] OfFile = ["$schema", "name", "version", "steps"];
    static readonly string[] OfStep =
    [
        "step", "pivot", "participant", "undo", "effect", "within", "waitsUpTo", "whenSilent", "optional", "human",
    ];

    // The order of our own steps: goods are held before money is secured, and both stay once the order is confirmed.
    static readonly string[] BeforePivot = [StepNames.ReserveStock];

    readonly List<ProcessFault> faults = [];
    readonly Dictionary<string, string> places = [];
    bool pivoted;

    public IReadOnlyList<ProcessFault> Faults => faults;

    public SagaDefinition? Read(JsonElement file)
    {
        if (!IsObject(file, "", OfFile)) return null;
        var name = Text(file, "", "name");
        if (name is not null && !IsName(name)) Fail("/name", NameRule);
        var version = Version(file);
        var stages = new List<SagaStage>();
        if (!file.TryGetProperty("steps", out var list) || list.ValueKind != JsonValueKind.Array)
            Fail(file.TryGetProperty("steps", out _) ? "/steps" : "", "\"steps\" is required: an array of steps.");
        else
        {
            for (var i = 0; i < list.GetArrayLength(); i++)
                if (Stage(list[i], $"/steps/{i}") is { IsEmpty: false } steps) stages.Add(new SagaStage(steps));
            CheckWhole(stages);
        }
        return faults.Count > 0 ? null : new SagaDefinition(name!, version, stages) { CancellableAfterPivot = true };
    }

    int Version(JsonElement file)
    {
        if (file.TryGetProperty("version", out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var version) && version >= 1)
            return version;
        Fail(file.TryGetProperty("version", out _) ? "/version" : "", "\"version\" is required: a whole number, 1 or more.");
        return 1;
    }

    System.Collections.Immutable.ImmutableArray<SagaStep> Stage(JsonElement item, string at)
    {
        var steps = new List<SagaStep>();
        if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("parallel", out var group))
        {
            IsObject(item, at, ["parallel"]);
            if (group.ValueKind != JsonValueKind.Array || group.GetArrayLength() == 0)
                Fail($"{at}/parallel", "\"parallel\" is an array of one step or more.");
            else
                for (var i = 0; i < group.GetArrayLength(); i++)
                    if (Step(group[i], $"{at}/parallel/{i}") is { } step) steps.Add(step);
        }
        else if (Step(item, at) is { } step)
            steps.Add(step);
        if (steps.Find(step => step.Pivot) is { } pivot)
        {
            if (steps.Count > 1) Fail(places[pivot.Name], "The pivot cannot run in parallel with another step.");
            pivoted = true;
        }
        return [.. steps];
    }

    SagaStep? Step(JsonElement item, string at)
    {
        if (!IsObject(item, at, OfStep) || Text(item, at, "step") is not { } name) return null;
        if (!IsName(name))
        {
            Fail($"{at}/step", NameRule);
            return null;
        }
        if (!places.TryAdd(name, at))
        {
            Fail($"{at}/step", $"The step \"{name}\" occurs twice.");
            return null;
        }
        var isPivot = Flag(item, at, "pivot");
        return OrderSaga.Find(name) is { } ours ? OurStep(ours, item, at, isPivot) : OutsideStep(name, item, at, isPivot);
    }

    SagaStep OurStep(SagaStep step, JsonElement item, string at, bool isPivot)
    {
        foreach (var property in item.EnumerateObject())
            if (property.Name is not ("step" or "pivot"))
                Fail($"{at}/{property.Name}", $"\"{step.Name}\" is a step of Orderwright and has no \"{property.Name}\".");
        if (step.Pivot && !isPivot) Fail(at, $"\"{step.Name}\" is the pivot: add \"pivot\": true.");
        if (!step.Pivot && isPivot)
            Fail($"{at}/pivot", $"The pivot is {StepNames.AuthorizePayment}: the order is confirmed once the money is secured.");
        if (!pivoted && step.ForwardOnly)
            Fail(at, $"\"{step.Name}\" cannot be undone by a refusal and must come after {StepNames.AuthorizePayment}.");
        if (pivoted && !step.ForwardOnly)
            Fail(at, $"\"{step.Name}\" must come before the pivot, {StepNames.AuthorizePayment}.");
        if (step.Pivot && !BeforePivot.All(places.ContainsKey))
            Fail(
                at,
                $"{string.Join(" and ", BeforePivot)} must come before \"{step.Name}\": money is taken for goods that are held.");
        return step;
    }

    SagaStep? OutsideStep(string name, JsonElement item, string at, bool isPivot)
    {
        if (isPivot) Fail($"{at}/pivot", $"The pivot is {StepNames.AuthorizePayment}, not a step of another participant.");
        var isHuman = Flag(item, at, "human");
        var (hasUndo, isOptional) = (Flag(item, at, "undo"), Flag(item, at, "optional"));
        var hasEffect = Choice(item, at, "effect", ["none"]) is null;
        var silent = Choice(item, at, "whenSilent", ["incident", "reject"]);
        var within = Time(item, at, "within");
        var waits = Time(item, at, "waitsUpTo");
        if (isOptional && !pivoted)
            Fail(
                $"{at}/optional",
                $"\"{name}\" comes before the pivot: a refusal rejects the order, so the step cannot be optional.");
        if (hasUndo && !hasEffect) Fail($"{at}/effect", $"\"{name}\" has an undo, and therefore an effect.");
        var (participant, endpoint) = isHuman ? HumanStep(name, item, at) : Participant(name, item, at);
        if (!isHuman && !pivoted && !hasUndo && hasEffect)
            Fail(
                at,
                $"\"{name}\" comes before the pivot: add \"undo\": true, or \"effect\": \"none\" for a step without "
                + "anything to undo.");
        if (silent == "reject" && pivoted && !isOptional)
            Fail(
                $"{at}/whenSilent",
                $"\"{name}\" comes after the pivot and must be done: only an optional step can be rejected.");
        else if (silent == "reject" && !hasUndo && hasEffect)
            Fail(
                $"{at}/whenSilent",
                $"\"{name}\" may have happened when its participant is silent: \"reject\" needs \"undo\": true or "
                + "\"effect\": \"none\".");
        return OrderSaga.Outside(name, participant, pivoted, within, waits) with
        {
            Human = isHuman,
            Endpoint = endpoint,
            Optional = isOptional,
            Undo = hasUndo && !isHuman ? $"undo-{name}" : null,
            WhenSilent = isHuman ? null : silent == "reject" ? WhenSilent.Reject : WhenSilent.Incident,
        };
    }

    (string, string?) HumanStep(string name, JsonElement item, string at)
    {
        foreach (var property in new[] { "participant", "undo", "effect", "within", "whenSilent" })
            if (item.TryGetProperty(property, out _))
                Fail($"{at}/{property}", $"\"{name}\" is decided by a person and has no \"{property}\".");
        return (WaitingFor.Operator, null);
    }

    (string, string?) Participant(string name, JsonElement item, string at)
    {
        if (!item.TryGetProperty("participant", out _))
        {
            Fail(at, $"\"{name}\" is no step of Orderwright: add \"participant\" with an address, or \"human\": true.");
            return ("", null);
        }
        var text = Text(item, at, "participant");
        if (text is null) return ("", null);
        if (text.StartsWith("amqp:", StringComparison.Ordinal))
            Fail($"{at}/participant", "Participants over AMQP are not supported: name an address that starts with https://.");
        else if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")
            || address.Host.Length == 0 || address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
            Fail(
                $"{at}/participant",
                "The participant is an address such as https://fraud.example.com/orderwright, without a user, query or "
                + "fragment.");
        else
            return (address.Authority, text.TrimEnd('/'));
        return ("", null);
    }

    void CheckWhole(List<SagaStage> stages)
    {
        if (places.Count > MaxSteps) Fail("/steps", $"The process has {places.Count} steps; at most {MaxSteps} are allowed.");
        foreach (var name in OrderSaga.Names)
            if (!places.ContainsKey(name)) Fail("/steps", $"The step {name} is missing.");
        if (stages.Count == 0 && faults.Count == 0) Fail("/steps", "A process has steps.");
    }

    bool IsObject(JsonElement element, string at, string[] known)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            Fail(at, "A JSON object is expected here.");
            return false;
        }
        foreach (var property in element.EnumerateObject())
            if (!known.Contains(property.Name))
                Fail(
                    $"{at}/{Escaped(property.Name)}",
                    $"\"{property.Name}\" is unknown. Known here: {string.Join(", ", known.Where(name => name[0] != '$'))}.");
        return true;
    }

    string? Text(JsonElement element, string at, string name)
    {
        if (element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String) return value.GetString();
        Fail(element.TryGetProperty(name, out _) ? $"{at}/{name}" : at, $"\"{name}\" is required: a text.");
        return null;
    }

    bool Flag(JsonElement element, string at, string name)
    {
        if (!element.TryGetProperty(name, out var value)) return false;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        Fail($"{at}/{name}", $"\"{name}\" is true or false.");
        return false;
    }

    string? Choice(JsonElement element, string at, string name, string[] allowed)
    {
        if (!element.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && allowed.Contains(value.GetString())) return value.GetString();
        Fail($"{at}/{name}", $"\"{name}\" is one of: {string.Join(", ", allowed)}.");
        return null;
    }

    TimeSpan? Time(JsonElement element, string at, string name)
    {
        if (!element.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && Duration(value.GetString()!) is { } time
            && time >= ShortestTime && time <= LongestTime)
            return time;
        Fail($"{at}/{name}", $"\"{name}\" is a time from 1s to 90d, such as 30s, 15m, 2h or 1d.");
        return null;
    }

    static TimeSpan? Duration(string text)
    {
        try
        {
            return text.StartsWith('P') ? XmlConvert.ToTimeSpan(text) : Settings.Duration(text);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            return null;
        }
    }

    static bool IsName(string name) => name.Length <= MaxName && Name().IsMatch(name);

    static readonly string NameRule =
        $"A name has 1 to {MaxName} characters: small letters, digits and single hyphens, a letter first.";

    static string Escaped(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    void Fail(string pointer, string message) => faults.Add(new(pointer, message));

    [GeneratedRegex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    private static partial Regex Name();
}
