using k8s;
using k8s.Models;
using YamlDotNet.Serialization;

namespace Orderwright.Deployment;

/// <summary>Kubernetes objects of a rendering, and two independent judges of their form.</summary>
sealed class Manifests(string yaml)
{
    static readonly IDeserializer Reader = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
    static readonly ISerializer Writer = new SerializerBuilder().JsonCompatible().Build();

    /// <summary>Objects, read strictly: an unknown property throws.</summary>
    public IReadOnlyList<object> Objects => KubernetesYaml.LoadAllFromString(yaml, strict: true);

    public IEnumerable<T> Of<T>() => Objects.OfType<T>();

    /// <summary>Pods of all deployments and jobs.</summary>
    public IReadOnlyList<(string Name, V1PodSpec Pod)> Pods =>
    [
        .. Of<V1Deployment>().Select(deployment => (deployment.Metadata.Name, deployment.Spec.Template.Spec)),
        .. Of<V1Job>().Select(job => (job.Metadata.Name, job.Spec.Template.Spec)),
    ];

    /// <summary>
    /// Faults found by the two judges: unknown properties by one; types, required properties and formats by the other.
    /// </summary>
    public async Task<IReadOnlyList<string>> FaultsAsync()
    {
        var faults = new List<string>();
        try
        {
            _ = Objects;
        }
        catch (Exception error) when (error is YamlDotNet.Core.YamlException or InvalidOperationException)
        {
            faults.Add(error.InnerException?.Message ?? error.Message);
        }
        var documents = yaml.Split("\n---", StringSplitOptions.RemoveEmptyEntries)
            .Select(document => Reader.Deserialize<object?>(document.TrimStart('-')))
            .Where(document => document is not null);
        var objects = documents.Select(document => Writer.Serialize(document!));
        var report = await Tools.ValidateAsync($"[{string.Join(',', objects)}]");
        faults.AddRange(report.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return faults;
    }
}
